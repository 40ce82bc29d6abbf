"""A session's ledger: what each process sent, what is stored, which numbers are missing, and why."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentops.server.api.ledger import SessionLedger
from tests.serving import Server
from tests.spans import ours, span

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def trace() -> int:
    return random.getrandbits(120)


def numbered(trace: int, number: int, seq: int, **given: Any) -> dict[str, Any]:
    return span(trace, number, 1, agentops__record__seq=seq, agentops__span__kind="action", **given)


def root(trace: int, number: int, sent: int, **given: Any) -> dict[str, Any]:
    return span(trace, number, agentops__span__kind="session", agentops__session__records_sent=sent, **given)


def ledger_of(server: Server, trace: int) -> Any:
    text = f"{trace:032x}"
    session = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    found = server.get(f"/api/sessions/{session}/ledger")
    shown = server.get(f"/api/sessions/{session}")["ledger"]
    assert (found["sent"], found["stored"]) == (shown["sent"], shown["stored"])
    SessionLedger.model_validate(found)
    return found


def test_a_complete_session_has_no_gaps(module_server: Server, trace: int) -> None:
    spans = [root(trace, 1, 3), *(numbered(trace, 1 + seq, seq) for seq in (1, 2, 3))]
    module_server.post("/v1/traces", ours(*spans, instance="a"))
    found = ledger_of(module_server, trace)
    (process,) = found["processes"]
    assert (found["sent"], found["stored"], found["lost"], process["gaps"]) == (3, 3, {}, [])


def test_gaps_are_ranges_of_numbers_by_process(module_server: Server, trace: int) -> None:
    first = [root(trace, 1, 12), *(numbered(trace, 10 + seq, seq) for seq in (2, 3, 7, 8))]
    lost = json.dumps({"memory_full": 4, "over_size_limit": 1})
    second = [
        root(trace, 2, 2, agentops__session__inherited=True, agentops__session__records_lost=lost),
        *(numbered(trace, 30 + seq, seq) for seq in (1, 2)),
    ]
    foreign = span(trace, 50, 1, name="from another library")
    module_server.post("/v1/traces", ours(*first, foreign, instance="a"))
    module_server.post("/v1/traces", ours(*second, instance="b"))
    module_server.post("/v1/traces", ours(*second, instance="b"))  # A retry changes nothing.
    found = ledger_of(module_server, trace)
    by_name = {process["instance"]: process for process in found["processes"]}
    assert by_name["a"]["gaps"] == [[1, 1], [4, 6], [9, 12]]
    assert (by_name["a"]["sent"], by_name["a"]["stored"], by_name["a"]["lost"]) == (12, 4, {})
    assert (by_name["b"]["sent"], by_name["b"]["stored"], by_name["b"]["gaps"]) == (2, 2, [])
    assert by_name["b"]["lost"] == found["lost"] == {"memory_full": 4, "over_size_limit": 1}


def test_a_gap_closes_when_the_record_arrives_late(module_server: Server, trace: int) -> None:
    module_server.post("/v1/traces", ours(root(trace, 1, 3), numbered(trace, 4, 3), instance="a"))
    assert ledger_of(module_server, trace)["processes"][0]["gaps"] == [[1, 2]]
    late = [numbered(trace, 1 + seq, seq) for seq in (1, 2)]
    module_server.post("/v1/traces", ours(*late, instance="a"))
    assert ledger_of(module_server, trace)["processes"][0]["gaps"] == []


def test_many_gaps_are_cut_short_and_counted(module_server: Server, trace: int) -> None:
    spans = [root(trace, 1, 5_000), *(numbered(trace, 1 + seq, seq) for seq in range(2, 2_501, 2))]
    module_server.post("/v1/traces", ours(*spans, instance="a"))
    (process,) = ledger_of(module_server, trace)["processes"]
    assert len(process["gaps"]) == 1_000
    assert process["gaps_left_out"] == 5_000 - 1_250 - 1_000


@pytest.mark.parametrize("said", ["", "not JSON", "[]", '{"exit":"many"}'])
def test_what_a_stranger_says_of_losses_breaks_nothing(module_server: Server, trace: int, said: str) -> None:
    spans = [root(trace, 1, 1, agentops__session__records_lost=said), numbered(trace, 2, 1)]
    module_server.post("/v1/traces", ours(*spans, instance="a"))
    assert ledger_of(module_server, trace)["lost"] == {}


def test_a_session_that_there_is_not_has_no_ledger(module_server: Server) -> None:
    answer = module_server.http.get("/api/sessions/none/ledger")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "session_not_found")


def test_what_a_program_had_to_drop_is_told_with_its_reason(start_server: Any, tmp_path: Path) -> None:
    """Its journal is too small for the time the server is away: the page says what is missing and why."""
    program = """if True:
        import sys
        import agentops
        from agentops import ActionEvent

        session = agentops.init(instrument_llm_calls=False)
        for number in range(400):
            agentops.record(ActionEvent(f"n-{number}", returns="x" * 500))
        print(session.session_id)
        agentops.end_session("Success")
    """
    home = tmp_path / "home"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "src"),
            "AGENTOPS_HOME": str(home),
            # No address at all: whichever server of this home comes first takes it.
            "AGENTOPS_API_ENDPOINT": "http://127.0.0.1:9",
            "AGENTOPS_JOURNAL_MAX_BYTES": "100000",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    session = done.stdout.split()[-1]
    assert done.stderr.count("AGENTOPS_JOURNAL_MAX_BYTES") == 1
    for path in (home / "journal").glob("0*.jsonl"):
        path.write_bytes(path.read_bytes().replace(b'"endpoint":"http://127.0.0.1:9"', b'"endpoint":""', 1))
    server = start_server(home)
    path = f"/api/sessions/{session}/ledger"

    def complete(ledger: dict[str, Any]) -> bool:
        return ledger["sent"] == 400 and ledger["stored"] > 0

    found = server.wait(path, complete)
    (process,) = found["processes"]
    missing = found["sent"] - found["stored"]
    assert process["gaps"] == [[1, missing]]
    assert missing <= found["lost"]["over_size_limit"] <= missing + 1  # The session's first record too.
    assert process["pid"] is not None
