"""Tables of measured architectures: one reader, one documented schema, and what the published files are."""
