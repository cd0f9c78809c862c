"""Physical simulation of single-sperm clips, graded by a simulated panel."""

from hybrid.simulator.dataset import simulate_dataset
from hybrid.simulator.settings import Settings

__all__ = ["Settings", "simulate_dataset"]
