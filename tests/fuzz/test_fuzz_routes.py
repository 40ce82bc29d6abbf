"""A short run of Schemathesis on every route, with and without keys (`make fuzz` is the long one)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.fuzz.routes import attack
from tests.serving import Server


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("home"), arguments=("--port", "0", "--auth"))
    yield server
    server.close()


@pytest.mark.parametrize("shows_key", [True, False])
def test_every_answer_is_one_that_the_document_names(locked: Server, shows_key: bool) -> None:
    key = re.search(r"shown only now: (\S+)", "".join(locked.log))
    assert key
    attack(locked.url, key[1] if shows_key else None, phases="fuzzing", examples=2)
    assert locked.get("/healthz")["status"] == "ok"
    headers = {"Authorization": f"Bearer {key[1]}"}
    assert locked.http.get("/api/sessions", headers=headers).status_code == 200
