"""What is left behind is found, measured and said: orphans, duplicates, the backlog, and by the doctor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from agentops.journal import Header, Journal, fallback_folder, note_key
from agentops.journal.meter import Meter
from agentops.otlp.encode import log_line
from tests.process.torture_parts import Program, Reader, free_port
from tests.serving import Server
from tests.spans import body, span
from tests.unit.journal.records import RESOURCE, record
from tests.waiting import eventually


def doctor(home: Path, **environment: str) -> tuple[int, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    done = subprocess.run(
        [sys.executable, "-m", "agentops.cli", "doctor"],
        env={**kept, "AGENTOPS_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def metrics(server: Server) -> dict[str, float]:
    lines = server.http.get("/metrics").text.splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")
    }


def journal_of(home: Path, endpoint: str) -> Journal:
    return Journal(
        home / "journal", lambda: Header(RESOURCE, endpoint), segment_bytes=1 << 20, max_bytes=1 << 30
    )


def test_orphans_are_found_when_the_home_could_never_be_written(
    start_server: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    server = start_server()
    folder = server.home / "journal"
    folder.write_text("a file where the folder should be, so that it can never be made")
    program = Program(tmp_path, "for_ever", server.url, 1, 1, 1000, AGENTOPS_HOME=str(server.home))
    program.recording()
    program.kill()
    folder.unlink()
    assert not folder.exists()
    reader = Reader(server.url)
    eventually(lambda: reader.complete(program.session(), len(program.numbers("event"))), within_s=20)
    reader.close()
    fallback = next(tmp_path.glob("agentops-*/journal-*"))
    assert eventually(lambda: not list(fallback.glob("*.jsonl")), within_s=20)


def test_records_that_arrive_twice_are_stored_once(server: Server) -> None:
    trace = 0x5EED << 64
    spans = body(span(trace, 1), span(trace, 2, 1))
    line = log_line(
        scope_tail=b'],"scope":{"name":"t"}}',
        time_ns=1_790_000_000_000_000_000,
        severity=13,
        severity_text="WARNING",
        body="said once",
        attributes={"session.id": "x", "logger.name": "l"},
        trace_id=trace,
        span_id=2,
    )
    logs = b'{"resourceLogs":[{"resource":{"attributes":[]},"scopeLogs":[%b]}]}' % line
    for _ in range(3):  # As after answers that were lost.
        assert server.post("/v1/traces", spans).status_code == 200
        assert server.post("/v1/logs", logs, content_type="application/json").status_code == 200
    session = server.get("/api/sessions")["sessions"][0]["session_id"]
    assert server.get(f"/api/sessions/{session}")["event_counts"]["total"] == 2
    assert len(server.get(f"/api/sessions/{session}/events")["events"]) == 2
    assert [log["body"] for log in server.get(f"/api/sessions/{session}/logs")["logs"]] == ["said once"]


def test_what_waited_for_a_week_keeps_its_times(server: Server) -> None:
    """An offline laptop comes back: its sessions are of the day on which they ran, and over."""
    week_ago = time.time_ns() - 7 * 86_400 * 10**9
    trace = 0xA1D << 64
    root = span(
        trace,
        1,
        name="offline",
        start_ns=week_ago,
        ms=5_000,
        agentops__span__kind="session",
        agentops__session__end_state="Success",
        agentops__session__records_sent=1,
    )
    call = span(trace, 2, 1, name="n-1", start_ns=week_ago + 10**9, ms=20, agentops__record__seq=1)
    cut_off = span(trace + 1, 1, name="killed", start_ns=week_ago, ms=None, agentops__span__kind="session")
    journal = journal_of(server.home, server.url)
    for one in (root, call, cut_off):
        journal.append(msgspec.json.encode({"spans": [one], "scope": {"name": "agentops"}}))
    journal.close()
    found = server.wait("/api/sessions", lambda page: page["total"] == 2, since="8d", until="6d")
    ended, killed = sorted(found["sessions"], key=lambda one: one["state"], reverse=True)
    began = datetime.fromtimestamp(week_ago / 1e9, UTC).isoformat()[:19]
    assert (ended["state"], ended["started_at"][:19], ended["duration_ms"]) == ("success", began, 5_000)
    assert ended["ledger"] == {"sent": 1, "stored": 1}
    assert (killed["state"], killed["state_reason"][:22]) == ("indeterminate", "stopped reporting at 2")
    (event,) = server.get(f"/api/sessions/{ended['session_id']}/events")["events"]
    assert event["started_at"][:19] == datetime.fromtimestamp(week_ago / 1e9 + 1, UTC).isoformat()[:19]


def test_metrics_show_what_waits_and_what_was_dropped(server: Server) -> None:
    assert metrics(server)["agentops_journal_backlog_records"] == 0
    journal = journal_of(server.home, "http://example.invalid")  # Not this server's to take.
    for number in range(10):
        journal.append(record(number))
    found = metrics(server)
    assert found["agentops_journal_backlog_records"] == 10
    assert found["agentops_journal_backlog_bytes"] > 100
    assert found["agentops_journal_oldest_seconds"] > 0
    assert found["agentops_journal_segments"] == 1
    assert found['agentops_journal_dropped_records_total{reason="memory_full"}'] == 0
    journal.losses.note("memory_full", 3)
    journal.save_losses()
    journal.append(record(10))
    found = metrics(server)
    assert found['agentops_journal_dropped_records_total{reason="memory_full"}'] == 3
    assert found["agentops_journal_backlog_records"] == 11
    journal.close()


def test_the_meter_follows_what_comes_and_goes(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, "http://127.0.0.1:1")
    meter = Meter(tmp_path / "journal")
    assert meter.stats().backlog_records == 0
    for number in range(20):
        journal.append(record(number, padding=number * 7))
    assert meter.stats().backlog_records == 20
    segment = journal.borrow()
    assert segment is not None
    chunk = segment.next_chunk(300)
    assert chunk is not None
    segment.acknowledge(chunk.end)
    left = 20 - chunk.lines.count(b"\n")
    assert 0 < left < 20
    assert meter.stats().backlog_records == left
    for number in range(20, 25):
        journal.append(record(number))
    assert meter.stats().backlog_records == left + 5
    segment.acknowledge(segment.length())
    journal.give_back(segment)
    assert meter.stats().backlog_records == 0
    journal.close()


def test_the_doctor_finds_nothing_wrong_where_nothing_is(server: Server) -> None:
    code, said = doctor(server.home, AGENTOPS_API_ENDPOINT=server.url)
    assert code == 0, said
    assert f"{server.url} answers" in said
    assert f"process {server.pid}" in said
    assert "nothing waits" in said
    assert "OpenAIInstrumentor" in said
    assert "AnthropicInstrumentor" in said
    assert "wrong" not in said

    # What waits for another server is no fault of this one, however long it has waited.
    journal = journal_of(server.home, "http://127.0.0.1:9")
    journal.append(record(1))
    journal.close()
    (segment,) = (server.home / "journal").glob("*.jsonl")
    segment.rename(segment.with_name("0" * 10 + segment.name[10:]))  # Of 1970.
    code, said = doctor(server.home, AGENTOPS_API_ENDPOINT=server.url)
    assert code == 0, said
    assert "for another server, http://127.0.0.1:9" in said


def test_the_doctor_names_what_is_wrong_and_what_mends_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    port = free_port()
    journal = journal_of(home, "http://127.0.0.1:9")
    for number in range(7):
        journal.append(record(number))
    journal.losses.note("over_size_limit", 5)
    journal.close()
    note_key(home / "journal", "http://127.0.0.1:9", "0123456789abcdef", refused=True)
    (home / "journal" / "losses-1-1-exit-12-0a1b2c3d.count").touch()  # From a disk that was full.
    rejected = home / "journal" / "rejected"
    rejected.mkdir()
    (rejected / "one.jsonl").write_text(
        '{"reason":"refused","why":"HTTP 400: too odd","at_ns":1,"record":"{}"}\n'
    )
    code, said = doctor(
        home,
        AGENTOPS_API_ENDPOINT=f"http://127.0.0.1:{port}",
        AGENTOPS_MAX_WAIT_TIME="soon",
        AGENTOPS_API_ENPOINT="http://127.0.0.1:8420",
    )
    assert code == 1
    assert f"`agentops serve --port {port}`" in said
    assert "7 records" in said
    assert "for another server, http://127.0.0.1:9" in said
    assert "5 records were lost (over_size_limit)" in said
    assert "12 records were lost (exit)" in said
    assert "http://127.0.0.1:9 has refused the key" in said
    assert "HTTP 400: too odd" in said
    assert "AGENTOPS_MAX_WAIT_TIME='soon' cannot be used" in said
    assert "AGENTOPS_API_ENDPOINT is the nearest" in said
    assert "Traceback" not in said


def test_the_doctor_tells_another_program_on_the_port_from_a_server(tmp_path: Path) -> None:
    program = "import http.server as h; s = h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler); "
    other = subprocess.Popen(
        [sys.executable, "-c", program + "print(s.server_port, flush=True); s.serve_forever()"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert other.stdout is not None
    try:
        port = int(other.stdout.readline())
        code, said = doctor(tmp_path / "home", AGENTOPS_API_ENDPOINT=f"http://127.0.0.1:{port}")
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
        other.stdout.close()
    assert code == 1
    assert "is not an AgentOps server" in said


def test_the_doctor_says_that_a_home_cannot_be_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file")
    code, said = doctor(home, AGENTOPS_API_ENDPOINT="http://127.0.0.1:9")
    assert code == 1
    assert str(fallback_folder(home / "journal")) in said
    assert "AGENTOPS_HOME" in said
