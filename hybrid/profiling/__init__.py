"""What a model costs: parameters, multiply-accumulates, activations, and seconds a clip."""

from hybrid.profiling.cost import Profile, profile_model
from hybrid.profiling.timing import time_inference, time_training_step

__all__ = ["Profile", "profile_model", "time_inference", "time_training_step"]
