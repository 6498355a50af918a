"""Other tools' optimisers behind the contract of a strategy, for side-by-side benchmarks: one file, one peer."""
