"""Small programs that die, fork and end, for `python -m tests.process.children <name> ...`.

Each records numbered records through the real journal and says on its standard output what had returned.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from agentops.journal import Header, Journal
from agentops.shipper import Outcome, Shipper, Signal, Target, drain_orphans
from tests.unit.journal.records import RESOURCE, Inbox, header, log_record, record
from tests.waiting import eventually

ROOT = Path(__file__).parent.parent.parent


def start(name: str, *arguments: object, **environment: str) -> subprocess.Popen[bytes]:
    """Start one of the programs below; its standard output is a pipe, its standard error too."""
    # A forked child drops the sockets that its parent's threads were just opening: Python warns of each.
    warnings = ("-W", "error", "-W", "ignore::ResourceWarning")
    return subprocess.Popen(
        [sys.executable, *warnings, "-m", "tests.process.children", name, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def journal_of(folder: str, url: str | None = None, *, segment_bytes: int = 200_000) -> Journal:
    made = header() if url is None else Header(RESOURCE, url)
    return Journal(Path(folder), lambda: made, segment_bytes=segment_bytes, max_bytes=1 << 30)


def shipper_of(journal: Journal, url: str) -> Shipper:
    target = Target(url + "/v1/traces", url + "/v1/logs")
    return Shipper(journal, lambda: target, max_delay_ms=200, max_records=512)


def say(number: int) -> None:
    os.write(1, b"%d\n" % number)


def append_for_ever(folder: str) -> None:
    """Append numbered records until killed; say each number once its append has returned."""
    journal = journal_of(folder)
    number = 0
    while True:
        journal.append(record(number, padding=number * 37 % 3000))
        say(number)
        number += 1


def ship_for_ever(folder: str, url: str, first: str) -> None:
    """Append and ship until killed; say each number once its append has returned."""
    journal = journal_of(folder, url, segment_bytes=20_000)
    shipper_of(journal, url)
    number = int(first)
    while True:
        journal.append(log_record(number) if number % 10 == 0 else record(number, padding=number * 37 % 500))
        say(number)
        number += 1
        time.sleep(0.0005)


def full_disk(folder: str, room: str) -> None:
    """Append past the size a file may have, then with room again; writes at the edge are short."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    journal = journal_of(folder, segment_bytes=1 << 24)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(room), resource.RLIM_INFINITY))
    for number in range(200):
        journal.append(record(number, padding=number * 37 % 300))
        say(number)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for number in range(200, 260):
        journal.append(record(number, padding=50))
        say(number)
    journal.close()
    os.write(2, repr(journal.stats().lost).encode())


def drain(folder: str, many: str) -> None:
    """Drain the orphans of a folder with others doing the same, once all are there; say what was sent."""
    inbox = Inbox()

    def slow(signal_name: Signal, body: bytes) -> Outcome:
        time.sleep(0.01)
        return inbox(signal_name, body)

    here = Path(folder).with_name("here")
    here.mkdir(exist_ok=True)
    (here / str(os.getpid())).touch()
    eventually(lambda: len(list(here.iterdir())) == int(many), within_s=40, every_s=0.001)
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and any(Path(folder).glob("0*.jsonl")):
        drain_orphans(Path(folder), slow, lambda header: True, chunk_bytes=2_000)
    for number in inbox.numbers:
        say(number)


def forks(folder: str, url: str, children: str) -> None:
    """Record in a parent and in forked children at once; everything is shipped, the parent keeps its own."""
    journal = journal_of(folder, url, segment_bytes=50_000)
    shipper = shipper_of(journal, url)
    for number in range(100):
        journal.append(record(number))
    pids: list[int] = []
    for child in range(1, int(children) + 1):
        pid = os.fork()
        if pid == 0:
            for number in range(1000 * child, 1000 * child + 200):
                journal.append(record(number))
            done = shipper.close(20)
            journal.close()
            os._exit(0 if done else 1)
        pids.append(pid)
        journal.append(record(100 + child))
    statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    done = shipper.close(20)
    journal.close()
    os.write(1, repr((statuses, done)).encode())


def fork_while_starting(folder: str, url: str) -> None:
    """Fork right after the first record, while the shipper's thread imports what it needs."""
    journal = journal_of(folder, url)
    shipper = shipper_of(journal, url)
    journal.append(record(0))
    pid = os.fork()
    if pid == 0:
        importlib.import_module("http.client")  # The program's own import must not hang either.
        journal.append(record(1))
        done = shipper.close(20)
        journal.close()
        os._exit(0 if done else 1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.write(1, repr((status, shipper.close(20))).encode())


def fork_while_reading(folder: str, url: str) -> None:
    """Fork again and again while the shipper's thread reads an answer that never ends."""
    journal = journal_of(folder, url)
    shipper = shipper_of(journal, url)
    journal.append(record(0))
    while not shipper.stats().requests:
        time.sleep(0.01)
    for child in range(1, 21):
        pid = os.fork()
        if pid == 0:
            journal.append(record(child))
            say(child)
            sys.exit(0)
        os.waitpid(pid, 0)
        time.sleep(0.02)
    os._exit(0)


def record_in_a_fork_and_outlive(folder: str) -> None:
    """The parent dies; its child lives on and must not keep the parent's segment locked."""
    journal = journal_of(folder)
    journal.append(record(0))
    if os.fork() == 0:
        journal.append(record(1))
        os.write(1, b"%d\n" % os.getpid())
        os.close(1)
        os.close(2)
        time.sleep(60)
        os._exit(0)
    os._exit(0)


def end_at_exit(folder: str, url: str) -> None:
    """Record from an `atexit` function and ship there, where no thread may be started any more."""
    import atexit

    journal = journal_of(folder, url)
    shipper = shipper_of(journal, url)

    def at_exit() -> None:
        journal.append(record(1))
        done = shipper.close(5)
        journal.close()
        os.write(1, repr(done).encode())

    atexit.register(at_exit)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
