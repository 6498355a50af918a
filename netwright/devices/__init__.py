"""Where a network will run, and how it is measured there: one file, one device."""
