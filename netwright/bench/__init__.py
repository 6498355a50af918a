"""The bench: strategies beside one another on a table of measured architectures, with the same seeds and the same budget."""
