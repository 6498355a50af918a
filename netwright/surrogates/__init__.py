"""What learns to predict a value from an architecture: one file, one surrogate, named as it is typed."""
