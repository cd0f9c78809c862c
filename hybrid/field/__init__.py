"""From a video of a whole field to clips of single sperm: boxes, tracks, windows, clips and tables."""
