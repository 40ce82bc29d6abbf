"""Processes of `agentops` that need not import it: each is forked from one that has, and did nothing else.

Importing is two thirds of a server's start and most of a command's life, and the tests start hundreds. A
forked one has the arguments, the environment, the input, the output, the exit and the exit code of any other.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Final

_IMPORTED: Final = (
    "agentops.cli.grpc_side",
    "agentops.cli.orphans",
    "agentops.cli.serve",
    "agentops.otlp.decode",
    "agentops.server.app",
    "agentops.server.auth.secret",
    "agentops.server.connection",
    "agentops.server.forwarded",
    "agentops.server.memory",
    "agentops.server.pricelist",
    "agentops.server.store.opening",
    "agentops.server.store.session",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.auto",
    "anyio._backends._asyncio",
    "anyio.streams.tls",
    # The commands, and what they and the engine's client import.
    "agentops.cli.doctor",
    "agentops.cli.export",
    "agentops.cli.import_",
    "agentops.cli.keys",
    "agentops.cli.projects",
    "agentops.cli.reprice",
    "agentops.cli.sessions",
    "agentops.cli.settings",
    "agentops.cli.show",
    "agentops.cli.stats",
    "agentops.cli.store",
    "agentops.cli.tail",
    "agentops.cli.version",
    "clickhouse_connect.driver.binding",
    "clickhouse_connect.driver.httpclient",
    "http.client",
    "rich.console",
    "rich.progress",
    "rich.table",
    "xml.etree.ElementTree",
)
"""What they import, but for the engine, which starts threads: they would not come along."""
_NUMBER: Final = struct.Struct("i")
_CHOSEN: Final = threading.Lock()


class Forked:
    """A process as `subprocess.Popen` shows one, its output and its errors in one pipe.

    Args:
        arguments: of `agentops`.
        environment: all of it.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        reading, writing = os.pipe()
        with open(os.devnull, "rb") as nothing:
            self._start(arguments, environment, (nothing.fileno(), writing, writing))
        os.close(writing)
        self.stdout: IO[str] | None = os.fdopen(reading, encoding="utf-8", errors="replace")

    def _start(
        self, arguments: Sequence[str], environment: Mapping[str, str], streams: tuple[int, int, int]
    ) -> None:
        asked = json.dumps([list(arguments), dict(environment)]).encode()
        self._line, theirs = socket.socketpair()
        with _CHOSEN:
            door = _door()
            socket.send_fds(door, [_NUMBER.pack(len(asked))], [*streams, theirs.fileno()])
            door.sendall(asked)
        theirs.close()
        self.pid: int = self._number()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit code."""
        if self.returncode is None:
            self._line.settimeout(timeout)
            try:
                self.returncode = self._number()
            except (BlockingIOError, TimeoutError):
                raise subprocess.TimeoutExpired("agentops", timeout or 0) from None
            self._line.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _number(self) -> int:
        answer = self._line.recv(_NUMBER.size)
        if not answer:
            raise RuntimeError("the process that forks the others has ended")
        return _NUMBER.unpack(answer)[0]


class Command(Forked):
    """A process with an input, an output and errors of its own, given as files that are open."""

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], streams: tuple[int, int, int]
    ) -> None:
        self._start(arguments, environment, streams)


def run(
    arguments: Sequence[str], environment: Mapping[str, str], given: bytes = b"", timeout: float = 110
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, as `subprocess.run` does, with what it reads; return what it wrote.

    Args:
        arguments: of `agentops`.
        environment: all of it.
        given: its input.
        timeout: seconds that it may take.
    """
    with contextlib.ExitStack() as open_still:
        read, said, wrong = (open_still.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        read.write(given)
        read.seek(0)
        command = Command(arguments, environment, (read.fileno(), said.fileno(), wrong.fileno()))
        try:
            code = command.wait(timeout)
        except BaseException:
            command.kill()
            raise
        said.seek(0)
        wrong.seek(0)
        return subprocess.CompletedProcess(arguments, code, said.read(), wrong.read())


@functools.cache
def _door() -> socket.socket:
    """Start the process that forks; return the way to it. It ends when that is closed."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.forked", str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        cwd=Path(__file__).resolve().parent.parent,
    )
    theirs.close()

    def leave() -> None:
        ours.close()
        process.wait()

    atexit.register(leave)
    return ours


def _fork_as_asked(door: socket.socket) -> int:
    """Fork a process for each request, tell of its end; return what Python should exit with, in each."""
    waking, woken = os.pipe()
    os.set_blocking(waking, False)
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, _wake)
    signal.set_wakeup_fd(woken)
    lines: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as ready:
        ready.register(door, selectors.EVENT_READ)
        ready.register(waking, selectors.EVENT_READ)
        while True:
            found = {key.fileobj for key, _ in ready.select()}
            if waking in found:
                os.read(waking, 512)
                _tell_of_the_dead(lines)
            if door not in found:
                continue
            size, given, _, _ = socket.recv_fds(door, _NUMBER.size, 4)
            if not size:
                return 0
            arguments, environment = json.loads(_exactly(door, _NUMBER.unpack(size)[0]))
            streams, line = given[:3], socket.socket(fileno=given[3])
            if pid := os.fork():
                for stream in streams:
                    os.close(stream)
                lines[pid] = line
                line.sendall(_NUMBER.pack(pid))
                continue
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for open_still in (door, line, *lines.values()):
                open_still.close()
            os.close(waking)
            os.close(woken)
            break
    return _become(arguments, environment, streams)


def _wake(number: int, frame: object) -> None:
    """Do nothing: a signal that is taken wakes the select."""


def _become(arguments: Sequence[str], environment: Mapping[str, str], streams: Sequence[int]) -> int:
    """Be `agentops` with these arguments."""
    from agentops.cli import main

    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", 1, closefd=False) for number in (1, 2))
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["agentops", *arguments]
    return main(arguments)


def _tell_of_the_dead(lines: dict[int, socket.socket]) -> None:
    while lines:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with lines.pop(pid) as line, contextlib.suppress(OSError):
            line.sendall(_NUMBER.pack(os.waitstatus_to_exitcode(status)))


def _exactly(line: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        got += line.recv(size - len(got))
    return got


if __name__ == "__main__":
    for each in _IMPORTED:
        import_module(each)
    from agentops.server import prices
    from agentops.server.store.engine import map_library

    map_library()
    prices.warm()
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()
    sys.exit(_fork_as_asked(socket.socket(fileno=int(sys.argv[1]))))
