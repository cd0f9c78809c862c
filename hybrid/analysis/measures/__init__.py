"""Measures, a file each: of how a model uses time, of where relevance lies, and of what an explanation is worth.

All state lags in seconds of the clip. A model of one frame gets the answer that is true of it: a distance of 0, no
interactions, and where a quantity does not exist for it, NaN.
"""
