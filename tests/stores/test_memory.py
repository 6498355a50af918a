from pathlib import Path

from netwright.core.contracts import Store
from netwright.stores.memory import MemoryStore
from netwright.testing.store import StoreKit


class TestMemoryStore(StoreKit):
    def make(self, folder: Path) -> Store:
        return MemoryStore()
