"""``python -m netwright`` is ``netwright``."""

from __future__ import annotations

import sys

from netwright.cli.main import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
