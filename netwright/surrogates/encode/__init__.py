"""Architectures as numbers: one file, one encoding, named as it is typed."""
