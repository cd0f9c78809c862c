"""Pretraining on simulated clips: a model learns what the simulator knows of a clip before it sees any grade.

attributes.py says what is learned, and why that is not the grade. Clips come from a pool on disk or without end
(pool.py); both are the same clips for every model.
"""
