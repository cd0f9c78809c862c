"""Physical simulation of single-sperm clips, graded by a simulated panel."""

from hybrid.simulator.dataset import simulate_dataset
from hybrid.simulator.settings import Settings
from hybrid.simulator.stream import pairs, stream

__all__ = ["Settings", "pairs", "simulate_dataset", "stream"]
