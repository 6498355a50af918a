"""Where runs are kept: one run, one folder, one append-only log."""
