"""The server as a process: it starts, is killed, refuses, and loses nothing that it acknowledged."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil
import pytest

from agentops.server.store.lock import StoreLock
from tests.serving import Server
from tests.spans import body, span
from tests.waiting import eventually

_traces = itertools.count(random.getrandbits(60) << 60)


def session_of(trace: int) -> str:
    return str(UUID(int=trace))


def serve(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `agentops serve` where it is expected to refuse."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("AGENTOPS_")}
    return subprocess.run(
        [sys.executable, "-m", "agentops.cli", "serve", *arguments],
        env={**given, "AGENTOPS_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_and_everything_is_there_again(start_server: Any, number: int) -> None:
    server: Server = start_server()
    trace = next(_traces)
    assert server.post("/v1/traces", body(span(trace, 1))).status_code == 200
    with httpx.stream("GET", f"{server.url}/api/live", timeout=20) as stream:
        next(stream.iter_raw())
        began = time.monotonic()
        server.process.send_signal(number)
        assert server.process.wait(20) == 0
    assert time.monotonic() - began < 10
    assert "Traceback" not in "".join(server.log)
    again: Server = start_server(server.home)
    assert again.get(f"/api/sessions/{session_of(trace)}")["event_counts"]["total"] == 1


def test_what_was_acknowledged_survives_a_kill(start_server: Any) -> None:
    server: Server = start_server()
    acknowledged: list[int] = []
    stop = threading.Event()

    def post() -> None:
        with httpx.Client(base_url=server.url, timeout=10) as http:
            while not stop.is_set():
                trace = next(_traces)
                spans = [span(trace, number, min(number - 1, 1)) for number in range(1, 21)]
                try:
                    if http.post("/v1/traces", json=body(*spans)).status_code == 200:
                        acknowledged.append(trace)
                except httpx.TransportError:
                    return

    threads = [threading.Thread(target=post) for _ in range(3)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(acknowledged) >= 30, within_s=20)
    server.kill()
    stop.set()
    for thread in threads:
        thread.join()
    assert len(acknowledged) >= 30
    again: Server = start_server(server.home)
    for trace in acknowledged:
        found = again.wait(f"/api/sessions/{session_of(trace)}", lambda one: True)
        assert found["event_counts"]["total"] == 20


def test_session_rows_that_a_crash_prevented_are_made_at_start(start_server: Any) -> None:
    server: Server = start_server()
    trace = next(_traces)
    assert server.post("/v1/traces", body(span(trace, 1, name="first"))).status_code == 200
    server.get(f"/api/sessions/{session_of(trace)}")
    server.stop()
    # What a crash between commit and summary leaves: spans, and no row for their session.
    script = f"""
from agentops.server.store import Store, StoreUrl
store = Store(StoreUrl.parse("chdb://{server.home}/store"))
for table in ("sessions", "session_traces"):
    store.command(f"TRUNCATE TABLE {{table}}")
store.close()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    again: Server = start_server(server.home)
    assert again.wait(f"/api/sessions/{session_of(trace)}", lambda one: True)["name"] == "first"


def test_a_taken_port_is_told_by_whom(start_server: Any, tmp_path: Path) -> None:
    server: Server = start_server()
    port = server.url.rpartition(":")[2]
    refused = serve("--port", port, home=tmp_path / "other")
    assert refused.returncode == 1
    assert f"process {server.pid}" in refused.stderr
    assert "--port" in refused.stderr
    assert "Traceback" not in refused.stderr
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused = serve("--port", str(other.getsockname()[1]), home=tmp_path / "other")
    assert refused.returncode == 1
    assert f"process {os.getpid()}" in refused.stderr
    assert "--port" in refused.stderr


def test_a_second_server_on_the_same_store_is_told_of_the_first(start_server: Any) -> None:
    server: Server = start_server()
    refused = serve("--port", "0", home=server.home)
    assert refused.returncode == 1
    assert str(server.pid) in refused.stderr
    assert server.url in refused.stderr
    server.stop()
    again: Server = start_server(server.home)
    assert again.get("/healthz")["status"] == "ok"


def test_a_store_that_is_just_being_opened_names_its_holder_and_not_a_dead_one(
    start_server: Any, tmp_path: Path
) -> None:
    server: Server = start_server()
    server.kill()
    link = tmp_path / "link"
    link.symlink_to(server.home / "store")
    starting = StoreLock(server.home / "store")
    try:
        for where in (server.home / "store", link):
            refused = serve("--port", "0", "--store", f"chdb://{where}", home=tmp_path / "other")
            assert refused.returncode == 1
            assert f"in use by process {os.getpid()} and" in refused.stderr
    finally:
        starting.release()


def test_a_store_of_a_newer_version_is_refused_untouched(start_server: Any) -> None:
    server: Server = start_server()
    server.stop()
    script = f"""
from agentops.server.store import Store, StoreUrl
store = Store(StoreUrl.parse("chdb://{server.home}/store"))
store.insert("migrations", [b'{{"number": 9999, "name": "from_the_future", "applied_at": 1}}'])
store.close()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    refused = serve("--port", "0", home=server.home)
    assert refused.returncode == 1
    assert "newer version" in refused.stderr
    assert "9999_from_the_future" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_copy_of_a_store_without_its_links_is_explained(start_server: Any, tmp_path: Path) -> None:
    server: Server = start_server()
    server.stop()
    # As scp -r and zip -r do.
    shutil.copytree(server.home, tmp_path / "copy")
    refused = serve("--port", "0", home=tmp_path / "copy")
    assert refused.returncode == 1
    assert "cannot be opened" in refused.stderr
    assert "symbolic links" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "--auth"),
        (["--host", "192.168.1.1"], "--auth"),
        (["--store", "postgres://x"], "chdb:///"),
        (["--store", "chdb://relative/path"], "three slashes"),
        (["--store", "clickhouse://127.0.0.1:1/db"], "cannot be opened"),
        (["--store", "chdb:///dev/null/store"], "cannot be opened"),
        (["--home", "/dev/null/home"], "cannot be made"),
        (["--port", "70000"], "--port"),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_reason(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    refused = serve(*(arguments if "--port" in arguments else ["--port", "0", *arguments]), home=tmp_path)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_what_a_dead_process_left_behind_is_taken_in(start_server: Any) -> None:
    server: Server = start_server()
    trace = next(_traces)
    line = {"spans": [span(trace, 1, name="last words")], "scope": {"name": "agentops", "version": "1"}}
    record = json.dumps(line, separators=(",", ":"))
    script = """
import sys
from pathlib import Path
from agentops.journal import Header, Journal
folder, endpoint, record = sys.argv[1:]
journal = Journal(Path(folder), lambda: Header(b'{"attributes":[]}', endpoint), segment_bytes=1 << 20,
max_bytes=1 << 30)
journal.append(record.encode())
import os
os.kill(os.getpid(), 9)
"""
    program = subprocess.run(
        [sys.executable, "-c", script, str(server.home / "journal"), server.url, record],
        check=False,
        timeout=60,
    )
    assert program.returncode == -signal.SIGKILL
    assert server.wait(f"/api/sessions/{session_of(trace)}", lambda one: True)["name"] == "last words"


def test_idle_it_is_small_and_starts_soon(start_server: Any) -> None:
    first: Server = start_server()
    first.stop()
    began = time.monotonic()
    server: Server = start_server(first.home)
    # Generous: the figure is 2 s on an idle machine, this one may be running everything else besides.
    assert time.monotonic() - began < 15

    def resident_mb() -> float:
        status = Path(f"/proc/{server.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    eventually(lambda: resident_mb() < 400)


def test_commands_say_what_they_know(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "AGENTOPS_HOME": str(tmp_path),
        "AGENTOPS_API_ENDPOINT": "http://127.0.0.1:9",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "agentops.cli", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    version = run("version").stdout.strip()
    assert version
    assert run("--version").stdout.strip() == version
    bare = run()
    assert (bare.returncode, bare.stdout.startswith("usage: agentops")) == (0, True)
    settings = run("settings").stdout
    assert "AGENTOPS_HOME" in settings
    assert str(tmp_path) in settings
    doctor = run("doctor")
    assert doctor.returncode == 1
    assert "agentops serve" in doctor.stdout
    unknown = run("servve")
    assert unknown.returncode == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_server_that_ends_leaves_no_decoder(start_server: Any, number: int) -> None:
    server: Server = start_server()
    traces = [next(_traces) for _ in range(4)]
    bodies = [
        json.dumps(body(*(span(trace, one, text="x" * 1000) for one in range(1, 300)))).encode()
        for trace in traces
    ]

    def decoders() -> list[psutil.Process]:
        return [one for one in psutil.Process(server.pid).children() if "decoder" in "".join(one.cmdline())]

    def send(one: bytes) -> int:
        return server.post("/v1/traces", one, content_type="application/json").status_code

    def together() -> list[psutil.Process]:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(send, bodies)) == [200] * 4
        return decoders()

    started = eventually(together, within_s=60)
    for trace in traces:
        path = f"/api/sessions/{session_of(trace)}"
        server.wait(path, lambda one: one["event_counts"]["total"] == 299)
    server.process.send_signal(number)
    server.process.wait(30)
    _, alive = psutil.wait_procs(started, timeout=30)
    assert not alive
