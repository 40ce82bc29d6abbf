"""A recorder of its own for each test: a fresh home, no server, everything taken back afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import agentops
from agentops.sdk.client import client
from tests.recorded import Journal, read


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder, set in the environment; whatever is initialised in the test is taken back."""
    monkeypatch.setenv("AGENTOPS_HOME", str(tmp_path))
    # Nothing listens there: everything stays in the journal, where tests read it.
    monkeypatch.setenv("AGENTOPS_API_ENDPOINT", "http://127.0.0.1:9")
    client.close()
    yield tmp_path
    client.close()


@pytest.fixture
def journal(home: Path) -> Callable[[], Journal]:
    """Read what was recorded so far."""
    return lambda: read(home)


@pytest.fixture
def session(home: Path) -> agentops.Session:
    """The session that `init()` started."""
    found = agentops.init(instrument_llm_calls=False)
    assert found is not None
    return found


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
