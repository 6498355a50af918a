"""Named random streams: every draw comes from a stream named by (seed, number, purpose), so nothing needs to be saved."""

from __future__ import annotations

import hashlib
import random

__all__ = ["integer", "stream"]


def integer(seed: int, number: int, purpose: str, bits: int = 63) -> int:
    """A whole number in [0, 2**bits) that depends on its three names only, on every machine and Python version."""
    digest = hashlib.blake2b(f"{seed}/{number}/{purpose}".encode(), digest_size=16).digest()
    return int.from_bytes(digest, "big") >> (128 - bits)


def stream(seed: int, number: int, purpose: str) -> random.Random:
    """The random stream of that name. Two calls give two objects in the same state."""
    return random.Random(integer(seed, number, purpose, bits=128))
