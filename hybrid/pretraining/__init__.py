"""Pretraining on simulated clips: a model learns what the simulator knows of a clip before it sees any grade.

attributes.py says what is learned, and why that is not the grade. Clips come from a pool on disk (pool.py) or without
end (batches.py); both are the same clips for every model.
"""
