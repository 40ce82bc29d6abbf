"""Traces of a test's own, sent to a server and looked for in its list."""

from __future__ import annotations

import itertools
import random
from typing import Any
from uuid import UUID

import pytest

from tests.serving import Server

TRACES = itertools.count(random.getrandbits(60) << 60)


@pytest.fixture
def trace() -> int:
    return next(TRACES)


def session_of(trace: int) -> str:
    return str(UUID(int=trace))


def send(server: Server, request: dict[str, Any], **headers: str) -> None:
    answer = server.post("/v1/traces", request, **headers)
    assert answer.status_code == 200, answer.text


def ids(server: Server) -> set[str]:
    return {one["session_id"] for one in server.get("/api/sessions", limit=500)["sessions"]}
