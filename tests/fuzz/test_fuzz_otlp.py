"""A short run of the OTLP fuzzer (`make fuzz` is the long one): no input is a 500, a hang or a leak."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.otlp import Encoding, run
from tests.serving import Server
from tests.spans import body, span


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("home"))
    yield server
    server.close()


def test_every_input_is_taken_or_refused(target: Server) -> None:
    statuses: set[int] = set()

    def post(signal: str, encoding: Encoding, sent: bytes) -> None:
        media = "application/json" if encoding == "json" else "application/x-protobuf"
        answer = target.http.post(f"/v1/{signal}", content=sent, headers={"Content-Type": media})
        assert answer.status_code in (200, 400), (answer.status_code, sent)
        statuses.add(answer.status_code)

    outcome = run(6_000, 1, post, each=20)
    assert outcome.inputs >= 6_000
    assert outcome.taken > outcome.inputs // 10
    assert outcome.refused > outcome.inputs // 10
    assert statuses == {200, 400}
    # And what an agent records is taken and shown as ever.
    before = target.get("/api/sessions")["total"]
    assert target.http.post("/v1/traces", json=body(span(0x5E55_1011, 1))).status_code == 200
    assert target.get("/api/sessions")["total"] == before + 1
