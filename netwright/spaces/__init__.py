"""Search spaces: one file, one space. Each module has ``space(signature) -> Space`` and says what it ``accepts``."""
