"""Physical simulation of single-sperm clips, graded by a simulated panel."""
