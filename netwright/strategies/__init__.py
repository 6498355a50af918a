"""Search strategies: one file, one strategy, named as it is typed."""
