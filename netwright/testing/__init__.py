"""The conformance kits: what every strategy, space, estimator, task, store, runner and device must do, shipped for yours too."""
