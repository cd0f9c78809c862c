"""How trained models see time and where they look: the same measures for every architecture. Start at base.py."""
