"""From a folder of clips and a table of votes to one checked, decoded, memory-mapped data set, and its folds."""
