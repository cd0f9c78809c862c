"""The results page of an analysis: tables, figures, gallery and words."""
