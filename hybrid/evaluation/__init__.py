"""How good predictions are, and whether one model's are better than another's."""
