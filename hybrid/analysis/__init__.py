"""How trained models see time, and where they look: one scale for every architecture. See measure.py."""
