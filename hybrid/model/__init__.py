"""The hybrid model, an idea a file. Needs torch, einops and pytorchvideo alone."""
