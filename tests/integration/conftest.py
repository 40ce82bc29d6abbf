"""What tests of the store over time begin with."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from agentops.server.store.client import Store
from agentops.server.store.url import StoreUrl
from tests.rooms import Rooms, rooms_of
from tests.serving import new_store


@pytest.fixture
def opened(tmp_path: Path) -> Generator[Rooms]:
    shutil.copytree(new_store(), tmp_path / "store", symlinks=True)
    yield from rooms_of(Store(StoreUrl.parse(f"chdb://{tmp_path}/store")))
