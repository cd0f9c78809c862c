"""Pretraining on simulated clips: a model learns what the simulator knows of a clip before it sees any grade.

attributes.py says what is learned, and why that is not the grade. Clips come from a pool on disk that grows meanwhile
(pool.py); they are the same for every model.
"""
