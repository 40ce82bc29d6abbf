"""Recording programs to be killed: `python -m tests.process.torture_programs <name> <said> ...`.

Each records numbered events through the SDK and appends to the file `said` what it knows to be recorded:
first `session <id>`, then `event <n>` and `log <n>` once the call has returned, and `ended` after the
session's end.
"""

from __future__ import annotations

import logging
import os
import random
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import agentops
from agentops import ActionEvent, LLMEvent, ToolEvent
from agentops.sdk.decorators import operation, tool

_log = logging.getLogger("torture")
_log.addHandler(logging.NullHandler())
_log.propagate = False


class Said:
    """The file that survives the program."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __call__(self, text: str) -> None:
        os.write(self._fd, text.encode() + b"\n")


def _same(given: str) -> str:
    return given


def begin(said: Said) -> None:
    session = agentops.init(instrument_llm_calls=False)
    assert session is not None
    said(f"session {session.session_id}")


def record(number: int, said: Said, size: int = 100) -> None:
    """Record one event called `n-<number>`, of each sort in turn, and now and then a log record."""
    name, text = f"n-{number}", "x" * size
    sort = number % 5
    if sort == 0:
        agentops.record(ActionEvent(name, returns=text))
    elif sort == 1:
        agentops.record(ToolEvent(name=name, returns=text))
    elif sort == 2:
        agentops.record(
            LLMEvent(model=name, prompt=text, completion="y", prompt_tokens=3, completion_tokens=1)
        )
    elif sort == 3:
        tool(name=name)(_same)(text)
    else:
        operation(name=name)(_same)(text)
    said(f"event {number}")
    if number % 7 == 0:
        _log.warning("n-%d", number)
        said(f"log {number}")


def for_ever(path: str, seed: str, threads: str, pause_us: str) -> None:
    """Record until killed, from some threads."""
    said = Said(path)
    begin(said)

    def go_on(thread: int) -> None:
        draw = random.Random(f"{seed}-{thread}")
        number = thread * 10_000_000
        while True:
            number += 1
            record(number, said, draw.choice((10, 200, 3000)))
            time.sleep(int(pause_us) / 1e6)

    for thread in range(1, int(threads)):
        threading.Thread(target=go_on, args=(thread,), daemon=True).start()
    go_on(0)


def some(path: str, seed: str, count: str, pause_us: str) -> None:
    """Record so many events, and end."""
    said = Said(path)
    draw = random.Random(seed)
    begin(said)
    for number in range(int(count)):
        record(number, said, draw.choice((10, 200, 3000)))
        if int(pause_us):
            time.sleep(int(pause_us) / 1e6)
    agentops.end_session("Success")
    said("ended")


def until_told(path: str, seed: str, pause_us: str) -> None:
    """Record until a file `<said>.stop` appears, and end."""
    said = Said(path)
    draw = random.Random(seed)
    begin(said)
    number = 0
    while not os.path.exists(path + ".stop"):
        record(number, said, draw.choice((10, 200, 3000)))
        number += 1
        time.sleep(int(pause_us) / 1e6)
    agentops.end_session("Success")
    said("ended")


def drain(path: str) -> None:
    """Ship what others of this home left behind, as the next program would, until `<said>.stop` appears."""
    said = Said(path)
    begin(said)
    while not os.path.exists(path + ".stop"):
        time.sleep(0.02)
    agentops.end_session("Success")
    said("ended")


def clock(path: str, seed: str, count: str) -> None:
    """Record while the clock steps, mostly back."""
    said = Said(path)
    draw = random.Random(seed)
    offset_ns = 0
    real_ns: Callable[[], int] = time.time_ns
    time.time_ns = lambda: real_ns() + offset_ns
    time.time = lambda: (real_ns() + offset_ns) / 1e9
    begin(said)
    for number in range(int(count)):
        if number % 25 == 24:
            offset_ns += draw.choice((-3_600, -86_400, -5, 30, 600)) * 10**9
        record(number, said, draw.choice((10, 200)))
        time.sleep(0.001)
    said("clock stepped")
    while not os.path.exists(path + ".stop"):
        time.sleep(0.02)


def full_disk(path: str, count: str, file_limit: str) -> None:
    """Record past what the disk takes (or past what a file may take), then with room again."""
    said = Said(path)
    begin(said)
    if int(file_limit):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_limit), resource.RLIM_INFINITY))
    for number in range(int(count)):
        record(number, said, 1000)
    said("full")
    while not os.path.exists(path + ".stop"):
        time.sleep(0.02)
    if int(file_limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for number in range(int(count), int(count) + 50):
        record(number, said, 1000)
    agentops.end_session("Success")
    said("ended")


def forked(path: str, children: str, count: str) -> None:
    """Fork children that record in the same session at once; every second one is killed when it is done."""
    said = Said(path)
    begin(said)
    record(0, said)
    pids: list[int] = []
    for child in range(1, int(children) + 1):
        pid = os.fork()
        if pid == 0:
            for number in range(int(count)):
                record(child * 10_000 + number, said)
            if child % 2:
                os.kill(os.getpid(), signal.SIGKILL)
            sys.exit(0)
        pids.append(pid)
        record(child, said)
    for pid in pids:
        os.waitpid(pid, 0)
    agentops.end_session("Success")
    said("ended")


if __name__ == "__main__":
    # Killed in the middle of anything: no byte code may be half written.
    sys.dont_write_bytecode = True
    Path(sys.argv[2]).parent.mkdir(parents=True, exist_ok=True)
    globals()[sys.argv[1]](*sys.argv[2:])
