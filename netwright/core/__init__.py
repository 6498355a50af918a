"""The nouns of architecture search, in the standard library alone: no torch, no numpy, no files."""
