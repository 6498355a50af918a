"""Estimators: how good a filled space is. One file, one estimator; wrappers take another as ``inner``."""
