"""`agentops export`, `import` and `store`: with a server that holds the store, and without any."""

from __future__ import annotations

import codecs
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import StartServer
from tests.forked import run
from tests.serving import Server, new_store
from tests.spans import SECOND, body, span
from tests.waiting import eventually


def agentops(home: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a command in a home. What a terminal or a pipe makes of it is asked of real processes elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    return run(arguments, {**kept, "AGENTOPS_HOME": str(home)}, given)


def record(server: Server, sessions: int = 3) -> None:
    for number in range(sessions):
        trace = random.getrandbits(120)
        start = time.time_ns() - (number + 1) * 3600 * SECOND
        model = "gpt-4o" if number else "gpt-4o-mini"
        answer = server.post(
            "/v1/traces",
            body(
                span(trace, 1, name=f"root {number}", session__id=f"s-{number}", start_ns=start),
                span(
                    trace,
                    2,
                    1,
                    gen_ai__operation__name="chat",
                    gen_ai__request__model=model,
                    gen_ai__usage__input_tokens=10,
                    gen_ai__usage__output_tokens=5,
                    start_ns=start + 1,
                ),
            ),
        )
        assert answer.status_code == 200


@pytest.mark.timeout(300)  # A few dozen commands, each a process.
def test_a_store_moves_by_files_with_a_server_and_without(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(tmp_path / "from")
    record(server)
    before = server.get("/api/sessions")
    one = agentops(server.home, "export", "s-1", "-o", str(tmp_path / "one.html"))
    assert one.returncode == 0, one.stderr
    assert (tmp_path / "one.html").read_bytes().lstrip().lower().startswith(b"<!doctype html>")
    some = agentops(server.home, "export", "--model", "gpt-4o")
    assert some.returncode == 0, some.stderr
    documents = [json.loads(line) for line in some.stdout.splitlines()]
    assert [one["session"]["session_id"] for one in documents] == ["s-1", "s-2"]
    assert some.stderr == b""
    # What is no file, or a link to one, stays what it is.
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link.html").symlink_to(tmp_path / "linked.html")
    with subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE) as reader:
        assert (
            agentops(server.home, "export", "--model", "gpt-4o", "-o", str(tmp_path / "pipe")).returncode == 0
        )
        assert reader.communicate()[0] == some.stdout
    assert agentops(server.home, "export", "s-1", "-o", str(tmp_path / "link.html")).returncode == 0
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "linked.html").stat().st_size == (tmp_path / "one.html").stat().st_size
    with Path("/dev/full").open("wb") as full:
        lost = subprocess.run(
            [sys.executable, "-m", "agentops.cli", "export", "s-1", "--home", str(server.home)],
            stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert (lost.returncode, lost.stderr) == (1, b"agentops export: No space left on device.\n")
    server.stop()
    # Nobody serves now: the command opens the store itself.
    for name in ("all.jsonl", "all.otlp.json.gz", "all.csv", "all.parquet"):
        whole = agentops(tmp_path / "from", "export", "--all", "-o", str(tmp_path / name))
        assert whole.returncode == 0, whole.stderr
        assert b"3 sessions" in whole.stderr
    other = tmp_path / "to"
    done = agentops(other, "import", str(tmp_path / "all.jsonl"), str(tmp_path / "all.otlp.json.gz"))
    assert done.returncode == 0, done.stderr
    assert b"3 sessions" in done.stderr
    after = start_server(other)
    assert after.get("/api/sessions") == before
    assert not list(tmp_path.glob("*.part"))


def test_the_store_says_what_it_holds_and_shrinks(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    for _ in range(3):
        record(server, 1)
    shown = agentops(server.home, "store")
    assert shown.returncode == 0, shown.stderr
    assert b"spans" in shown.stdout
    assert b"0001 foundation" in shown.stdout
    found = json.loads(agentops(server.home, "store", "--json").stdout)
    assert {"sessions", "spans", "migrations"} <= {one["table"] for one in found["tables"]}
    assert sum(day["spans"] for day in found["growth"]) == 6
    assert found["bytes"] > 0

    def in_one_part() -> bool:
        """Compact once more; the last session row may have been written while that ran."""
        done = agentops(server.home, "store", "compact", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["after"] > 0
        parts = {one["table"]: one["parts"] for one in server.get("/api/store")["tables"]}
        assert parts["spans"] == 1
        return parts["sessions"] == 1

    assert eventually(in_one_part)
    spelled_otherwise = agentops(server.home, "store", "--compact")
    assert spelled_otherwise.returncode == 0, spelled_otherwise.stderr
    kept = agentops(server.home, "store", "retention", "30")
    assert kept.returncode == 0, kept.stderr
    assert server.get("/api/store")["retention_days"] == 30
    assert agentops(server.home, "store", "retention", "0").returncode == 0
    assert server.get("/api/store")["retention_days"] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("export",), b"--all"),
        (("export", "x", "--all"), b"--all"),
        (("export", "missing"), b"no session 'missing'"),
        (("export", "--all", "--format", "html"), b"one session"),
        (("export", "--state", "fail"), b"no session passes"),
        (("export", "--since", "yesterday"), b"since"),
        (("import", "missing.json"), b"missing.json"),
        (("import", "/dev/null"), b"/dev/null: it is empty"),
        (("store", "retention", "-1"), b"days"),
        (("store", "--compact", "retention", "1"), b"--compact"),
        (
            ("store", "--project", "nobody"),
            b"project 'nobody'. `agentops projects list` shows the projects there are.\n",
        ),
    ],
)
def test_mistakes_are_told_with_an_exit_code(
    module_server: Server, arguments: tuple[str, ...], says: bytes
) -> None:
    done = agentops(module_server.home, *arguments)
    assert done.returncode in (1, 2)
    assert says in done.stderr, done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["sessions", "show x", "stats", "export --all", "store", "reprice"])
def test_a_home_that_is_named_wrongly_stays_as_it_is(tmp_path: Path, command: str) -> None:
    (tmp_path / "there").mkdir()
    for name in ("there", "not there"):
        done = agentops(tmp_path / "other", *command.split(), "--home", str(tmp_path / name))
        assert done.returncode == 1
        assert b"no store" in done.stderr, done.stderr
        assert b"--home" in done.stderr
    assert [one.name for one in tmp_path.rglob("*")] == ["there"]


def test_files_that_cannot_be_read_keep_no_others_out(module_server: Server, tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b'{"resourceSpans":[]}' * 500))
    packed[20] ^= 0xFF
    good = json.dumps(body(span(random.getrandbits(120), 1)), ensure_ascii=False).encode()
    files = {
        "packed.json.gz": (bytes(packed), b"decompress"),
        "latin.json": (b'{"a":"\xff"}', b"neither JSON"),
        "deep.json": (b'{"a":' * 100_000, b"neither JSON"),
        "table.csv": (b'"event_id","parent_id"\n1,2\n', b"CSV cannot be imported"),
        "many.zip": (b"PK\x03\x04\x14\x00", b"it is a zip archive; unpack it"),
        "marked.json": (codecs.BOM_UTF8 + good, b""),
    }
    for name, (content, _) in files.items():
        (tmp_path / name).write_bytes(content)
    done = agentops(module_server.home, "import", *(str(tmp_path / name) for name in files))
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    for line, (name, (_, says)) in zip(lines, files.items(), strict=True):
        assert not says or (name.encode() in line and says in line), done.stderr
    assert lines[-1].startswith(b"1 session (1 span) imported"), done.stderr


def test_costs_follow_a_price_of_ones_own(start_server: StartServer) -> None:
    server = start_server()
    record(server, 2)
    assert server.get("/api/sessions/s-1")["cost_usd"] == pytest.approx(10 * 2.5e-6 + 5 * 10e-6)
    (server.home / "prices.toml").write_text('[[price]]\nmodel = "gpt-4o"\ninput = 1000000\noutput = 0\n')
    done = agentops(server.home, "reprice", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"calls": 2, "changed": 1}
    assert server.get("/api/sessions/s-1")["cost_usd"] == 10
    assert server.get("/api/sessions/s-0")["cost_usd"] != 10
    assert server.http.post("/api/store/reprice").status_code == 200
    assert server.http.post("/api/store/reprice", content=b"since=soon").status_code == 415
    wrong = agentops(server.home, "reprice", "--since", "soon")
    assert wrong.returncode == 1
    assert b"since" in wrong.stderr


def test_what_is_imported_without_a_server_costs_what_ones_own_prices_say(tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(new_store(), home / "store", symlinks=True)
    prices = home / "prices.toml"
    prices.write_text('[[price]]\nmodel = "house-*"\ninput = 1000000\noutput = -1\n')
    call = span(
        7, 1, name="chat", gen_ai__operation__name="chat", gen_ai__request__model="house-llama",
        gen_ai__usage__input_tokens=3, gen_ai__usage__output_tokens=5,
    )  # fmt: skip
    refused = agentops(home, "import", "-", given=json.dumps(body(call)).encode())
    assert (refused.returncode, b"output" in refused.stderr) == (1, True), refused.stderr
    prices.write_text('[[price]]\nmodel = "house-*"\ninput = 1000000\noutput = 0\n')
    done = agentops(home, "import", "-", given=json.dumps(body(call)).encode())
    assert done.returncode == 0, done.stderr
    assert json.loads(agentops(home, "sessions", "--json").stdout)["sessions"][0]["cost_usd"] == 3


def test_calls_on_their_way_while_costs_are_computed_anew_have_the_new_price(
    start_server: StartServer,
) -> None:
    server = start_server()
    call: dict[str, Any] = {"gen_ai__operation__name": "chat", "gen_ai__request__model": "house-x"}
    call |= {"gen_ai__usage__input_tokens": 1, "gen_ai__usage__output_tokens": 1}
    enough = threading.Event()

    def post(thread: int) -> int:
        sent = 0
        with httpx.Client(base_url=server.url, timeout=60) as client:
            while not enough.wait(0.02):
                trace = random.getrandbits(120)
                given = [span(trace, n + 1, session__id=f"s-{thread}", **call) for n in range(100)]
                assert client.post("/v1/traces", json=body(*given)).status_code == 200
                sent += len(given)
        return sent

    with ThreadPoolExecutor(3) as threads:
        sent = [threads.submit(post, thread) for thread in range(3)]
        try:
            server.wait("/api/sessions", lambda page: page["total"] == 3, 60)
            for dollars in (1, 2, 3):
                price = f'[[price]]\nmodel = "house-x"\ninput = {dollars}000000\noutput = 0\n'
                (server.home / "prices.toml").write_text(price)
                assert server.http.post("/api/store/reprice", json={}, timeout=60).status_code == 200
        finally:
            enough.set()
        calls = sum(one.result() for one in sent)
    totals = server.get("/api/analytics", latency=False)["totals"]
    assert (totals["events"]["total"], totals["cost_usd"]) == (calls, pytest.approx(3 * calls))
