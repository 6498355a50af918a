"""Blobs by digest in a folder: ``<digest>.safetensors``. A file is whole or absent, and is checked whenever it is read."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from netwright.core.contracts import Vault
from netwright.errors import RunError
from netwright.stores.folders import write_bytes

__all__ = ["FileVault", "digest_of"]


def digest_of(blob: bytes) -> str:
    """32 hexadecimal digits."""
    return hashlib.blake2b(blob, digest_size=16).hexdigest()


class FileVault(Vault):
    """The blobs in ``folder``, which is made when the first one comes. Any number of processes may put and get."""

    def __init__(self, folder: Path, suffix: str = ".safetensors") -> None:
        self.folder, self.suffix = folder, suffix

    def put(self, blob: bytes) -> str:
        digest = digest_of(blob)
        file = self.path(digest)
        if not (file.exists() and digest_of(file.read_bytes()) == digest):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_bytes(file, blob)
        return digest

    def get(self, digest: str) -> bytes:
        file = self.path(digest)
        try:
            blob = file.read_bytes()
        except FileNotFoundError:
            raise RunError("the file is missing", where=str(file), todo="Export a trial whose weights are there.") from None
        except OSError as error:
            raise RunError(f"the file cannot be read ({error.strerror})", where=str(file)) from error
        if digest_of(blob) != digest:
            raise RunError(
                f"the file is damaged: its {len(blob)} bytes are not those written",
                where=str(file),
                todo="Put back a copy of it, or export another trial.",
            )
        return blob

    def remove(self, digest: str) -> None:
        try:
            self.path(digest).unlink(missing_ok=True)
        except OSError as error:
            raise RunError(f"the file cannot be removed ({error.strerror})", where=str(self.path(digest))) from error

    def path(self, digest: str) -> Path:
        """Where the blob of that digest is. Raises :class:`RunError` for anything that is not a digest."""
        if not re.fullmatch(r"[0-9a-f]{32}", digest):
            raise RunError(f"{digest!r} is not a digest", where=str(self.folder))
        return self.folder / f"{digest}{self.suffix}"
