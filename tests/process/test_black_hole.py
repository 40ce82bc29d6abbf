"""Servers that do not behave: the program's end is delayed by two seconds at most, and nothing is lost."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.recorded import read
from tests.unit.shipper.sink import Answer, Sink, black_hole, sink_server

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = """
import time
import agentops
from agentops import ActionEvent

agentops.init(instrument_llm_calls=False)
begun = time.perf_counter()
for number in range(50):
    agentops.record(ActionEvent(f"n-{number}", returns="x" * 1000))
print(time.perf_counter() - begun, flush=True)
time.sleep(0.3)  # The shipper is in the middle of a request.
print(time.time(), flush=True)
"""


@contextmanager
def full_queue() -> Generator[str]:
    """An address whose queue of connections is full: the system drops what asks for one more."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening, ExitStack() as kept:
        address = listening.getsockname()
        for _ in range(8):
            one = kept.enter_context(socket.socket())
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(address)
        yield f"http://127.0.0.1:{address[1]}"


@contextmanager
def dripping() -> Generator[str]:
    """A server that reads everything and answers a byte in a tenth of a second, for ever."""
    done = threading.Event()

    def drip(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(0.05)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not done.wait(0.1):
                with suppress(TimeoutError):
                    client.recv(65_536)
                client.sendall(b"x")

    def serve(listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                threading.Thread(target=drip, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            done.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def answering(answer: Answer) -> Generator[str]:
    with sink_server() as sink:
        sink.otherwise = lambda request: answer
        yield sink.url


def run_in_memory(tmp_path: Path, sink: Sink, program: str, exit_timeout: str) -> str:
    """Run a program that can write no folder; return what it said on its standard error."""
    (tmp_path / "file").write_text("in the way")
    (tmp_path / f"agentops-{os.geteuid()}").write_text("in the way")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    given = {
        "AGENTOPS_HOME": str(tmp_path / "file" / "home"),
        "TMPDIR": str(tmp_path),
        "AGENTOPS_API_ENDPOINT": sink.url,
        "AGENTOPS_EXIT_TIMEOUT": exit_timeout,
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, **given},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "The temporary folder cannot be written either" in done.stderr
    return done.stderr


def names_in(sink: Sink) -> set[bytes]:
    return {name for request in sink.accepted for name in re.findall(rb'"name":"(n-\d+)"', request.body)}


def test_what_is_only_in_memory_is_shipped_by_a_slow_server_before_the_end(tmp_path: Path) -> None:
    """The server's first answer takes longer than a call waits for it; the end waits longer."""
    program = PROGRAM.replace("time.sleep(0.3)", 'agentops.end_session("Success")')
    with sink_server() as sink:
        sink.answers = [Answer(delay_s=3.0)]
        said = run_in_memory(tmp_path, sink, program, "30")
        stored = names_in(sink)
        ends = [request for request in sink.accepted if b"agentops.session.end_state" in request.body]
    assert "are lost" not in said
    assert stored == {b"n-%d" % number for number in range(50)}
    assert ends


def test_when_not_all_of_the_memory_can_be_shipped_the_end_and_the_count_are(tmp_path: Path) -> None:
    """What is missing is then known to be missing."""
    program = PROGRAM.replace("range(50)", "range(1500)").replace("time.sleep(0.3)", "time.sleep(0)")
    with sink_server() as sink:
        sink.otherwise = lambda request: Answer(200 if b"session.end_state" in request.body else 503)
        said = run_in_memory(tmp_path, sink, program, "3")
        stored = names_in(sink)
        ends = [request for request in sink.accepted if b"agentops.session.end_state" in request.body]
    assert "are lost" in said
    assert len(stored) < 1500
    (end,) = ends
    assert re.search(rb'"agentops.session.records_sent","value":\{"intValue":"1500"\}', end.body)


def redirecting() -> object:
    return answering(Answer(308, headers={"Location": "/v1/traces"}))


def busy() -> object:
    return answering(Answer(503, headers={"Retry-After": "3600"}))


@pytest.mark.parametrize("server", [black_hole, full_queue, dripping, redirecting, busy])
def test_a_server_that_takes_nothing_delays_nothing_but_the_end_and_that_little(
    tmp_path: Path, server: Callable[[], ExitStack]
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    with server() as url:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**kept, "AGENTOPS_HOME": str(tmp_path), "AGENTOPS_API_ENDPOINT": str(url)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        ended = time.time()
    recording_s, left_at = map(float, done.stdout.split())
    # Each would wait for its 30 s otherwise; a slow machine gets its share of patience.
    assert ended - left_at < 8
    assert recording_s < 5
    assert "Traceback" not in done.stderr
    journal = read(tmp_path)
    assert {event.name for event in journal.events} == {f"n-{number}" for number in range(50)}
    assert [root.attributes["agentops.session.end_state"] for root in journal.sessions] == ["Indeterminate"]


def test_a_program_that_stops_its_clock_ends_nevertheless(tmp_path: Path) -> None:
    """As freezegun does it, which many a program's tests run under."""
    program = "import time\nheld = time.monotonic()\ntime.monotonic = lambda: held\n" + textwrap.dedent(
        """
        import agentops
        session = agentops.init(instrument_llm_calls=False, exit_timeout=1)
        agentops.record(agentops.ActionEvent("x"))
        session.end_session("Success")
        """
    )
    with black_hole() as url:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "AGENTOPS_HOME": str(tmp_path), "AGENTOPS_API_ENDPOINT": url},
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert [root.attributes["agentops.session.end_state"] for root in read(tmp_path).sessions] == ["Success"]
