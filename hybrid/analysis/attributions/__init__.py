"""Methods that explain an answer by the pixels of the frames."""
