"""Who takes part in the torture: programs and servers that can be killed, and readers that count.

Whatever a recording program said it had recorded must be in the store exactly once, read back over HTTP.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.serving import Server
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parent.parent.parent
_NUMBERED = re.compile(r"n-(\d+)")
APPEARS_WITHIN_S = 60.0


@dataclass
class Figures:
    """What a scenario did and what was found.

    Attributes:
        process_kills: SIGKILLs of recording processes.
        server_kills: SIGKILLs of the server.
        sessions: Sessions that were checked.
        events: Events whose recording had returned, and log records.
        lost: Those of them that are not in the store.
        doubled: Events and log records that are there more than once.
        uncounted: Sessions whose ledger or counts disagree with the events that are there, beyond the calls
            that a kill interrupted.
        interrupted: Calls that had got their number, but had not returned when the kill came, and are not
            stored.
        appear_s: Seconds from a kill until everything of its session was there.
        notes: What else is worth a word.
    """

    name: str
    process_kills: int = 0
    server_kills: int = 0
    sessions: int = 0
    events: int = 0
    lost: int = 0
    doubled: int = 0
    uncounted: int = 0
    interrupted: int = 0
    appear_s: list[float] = field(default_factory=list[float])
    notes: list[str] = field(default_factory=list[str])
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        return not (self.lost or self.doubled or self.uncounted)

    def row(self) -> str:
        times = sorted(self.appear_s)
        appear = f"{times[len(times) // 2]:.1f} / {times[-1]:.1f}" if times else ""
        cells = (
            self.name, self.process_kills, self.server_kills, self.sessions, self.events, self.lost,
            self.doubled, self.uncounted, appear,
        )  # fmt: skip
        return "| " + " | ".join(map(str, cells)) + " |"


HEADINGS = (
    "| scenario | processes killed | servers killed | sessions | recorded | lost | doubled | ledgers wrong "
    "| s to appear, median / longest |\n|---|---|---|---|---|---|---|---|---|"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """One recording program, running or dead."""

    def __init__(
        self, folder: Path, name: str, endpoint: str, *arguments: object, **environment: str
    ) -> None:
        number = len(list(folder.glob("said-*")))
        self.said = folder / f"said-{number}"
        self.said.touch()
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AGENTOPS_", "OTEL_"))}
        given = {"AGENTOPS_HOME": str(folder / "home"), "AGENTOPS_API_ENDPOINT": endpoint, **environment}
        self.errors = folder / f"errors-{number}"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.process.torture_programs",
                    name,
                    str(self.said),
                    *map(str, arguments),
                ],
                cwd=ROOT,
                env={**kept, **given},
                stdout=errors,
                stderr=errors,
            )

    def lines(self) -> list[str]:
        return self.said.read_text().splitlines()

    def session(self) -> str:
        return next((line[8:] for line in self.lines() if line.startswith("session ")), "")

    def numbers(self, word: str) -> set[int]:
        return {int(line.split()[1]) for line in self.lines() if line.startswith(word + " ")}

    def wait_for(self, line: str, within_s: float = 60) -> None:
        eventually(lambda: line in self.lines() or self._failed(), within_s=within_s)

    def _failed(self) -> bool:
        assert self.process.poll() in (None, 0), self.errors.read_text()
        return False

    def recording(self) -> None:
        """Wait until it records."""
        eventually(lambda: self.numbers("event") or self._failed(), within_s=60)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def tell(self) -> None:
        self.said.with_name(self.said.name + ".stop").touch()

    def end(self, within_s: float = 60) -> None:
        """Tell it to stop and wait for its end."""
        self.tell()
        self.join(within_s)

    def join(self, within_s: float = 60) -> None:
        assert self.process.wait(within_s) == 0, self.errors.read_text()
        assert "Traceback" not in self.errors.read_text(), self.errors.read_text()


class Mortal:
    """A server on a fixed port that is killed and comes back on the same store."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = home.parent / "server.log"
        home.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AGENTOPS_", "OTEL_"))}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "agentops.cli", "serve", "--port", str(self.port)],
                env={**kept, "AGENTOPS_HOME": str(self.home)},
                stdout=log,
                stderr=log,
            )

    def ready(self) -> None:
        def answers() -> bool:
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(self.url + "/readyz", timeout=5).status_code == 200
            return False

        eventually(answers, within_s=60, every_s=0.05)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(60) == 0, self.log.read_text()[-4000:]


@contextlib.contextmanager
def serving(folder: Path) -> Generator[Server]:
    server = Server(folder / "home")
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def mortal(folder: Path) -> Generator[Mortal]:
    server = Mortal(folder / "home", free_port())
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


class Reader:
    """Reads sessions back over HTTP, and counts."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60)

    def close(self) -> None:
        self.http.close()

    def session(self, session: str) -> dict[str, object] | None:
        answer = self.http.get(f"/api/sessions/{session}")
        assert answer.status_code in (200, 404), answer.text
        return answer.json() if answer.status_code == 200 else None

    def names(self, session: str, what: str) -> Counter[int]:
        """Count the numbered events (or logs) of a session."""
        found: Counter[int] = Counter()
        cursor: str | None = None
        while True:
            asked = {"limit": "1000", **({"cursor": cursor} if cursor else {})}
            answer = self.http.get(f"/api/sessions/{session}/{what}", params=asked)
            if answer.status_code == 404:
                return found
            assert answer.status_code == 200, answer.text
            page = answer.json()
            for one in page[what]:
                named = _NUMBERED.fullmatch(str(one["name"] if what == "events" else one["body"]))
                if named:
                    found[int(named[1])] += 1
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    def complete(self, session: str, events: int) -> bool:
        found = self.session(session)
        return found is not None and int(found["event_counts"]["total"]) >= events  # type: ignore[index] # pyright: ignore[reportIndexIssue, reportUnknownArgumentType] -- JSON

    def check(self, program: Program, figures: Figures, killed: int = 0) -> None:
        """Wait until everything that the program said is there, then count.

        Args:
            program: Which.
            figures: What to add to.
            killed: How many threads of it may have been in the middle of a call when it was killed.
        """
        session = program.session()
        if not session:
            return  # Killed before its session had begun.
        said = {"events": program.numbers("event"), "logs": program.numbers("log")}
        missing = {what: set(numbers) for what, numbers in said.items()}
        found: dict[str, Counter[int]] = {}

        def all_there() -> bool:
            for what, numbers in said.items():
                found[what] = self.names(session, what)
                missing[what] = numbers - found[what].keys()
            return not any(missing.values())

        with contextlib.suppress(AssertionError):
            eventually(all_there, within_s=APPEARS_WITHIN_S, every_s=0.1)
        figures.sessions += 1
        figures.events += sum(map(len, said.values()))
        lost = sum(map(len, missing.values()))
        doubled = sum(count - 1 for counts in found.values() for count in counts.values())
        figures.lost += lost
        figures.doubled += doubled
        if lost or doubled:
            figures.notes.append(
                f"session {session}: missing {sorted(missing['events'])[:5]} and logs "
                f"{sorted(missing['logs'])[:5]}, {doubled} doubled"
            )
        shown = self.session(session)
        if shown is None:
            figures.uncounted += bool(said["events"])
            return
        ledger, counts = shown["ledger"], shown["event_counts"]
        sent, stored, total = int(ledger["sent"]), int(ledger["stored"]), int(counts["total"])  # type: ignore[index] # pyright: ignore[reportIndexIssue, reportUnknownArgumentType] -- JSON
        there = sum(found["events"].values())
        gap = sent - stored
        figures.interrupted += max(0, gap)
        if (
            not 0 <= gap <= killed
            or not (stored == total == there)
            or not 0 <= there - len(said["events"]) <= killed
        ):
            figures.uncounted += 1
            figures.notes.append(
                f"session {session}: ledger {sent} sent, {stored} stored, {total} counted, {there} listed, "
                f"{len(said['events'])} said"
            )


class Watcher:
    """Notes when the events of killed programs appear, while others are being killed."""

    def __init__(self, url: str, figures: Figures) -> None:
        self._reader = Reader(url)
        self._figures = figures
        self._waiting: list[tuple[float, str, int]] = []
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def watch(self, program: Program) -> None:
        """Begin: the program has just been killed."""
        session, events = program.session(), len(program.numbers("event"))
        if session and events:
            with self._lock:
                self._waiting.append((time.monotonic(), session, events))

    def close(self) -> None:
        """Wait for the last to appear."""
        with contextlib.suppress(AssertionError):
            eventually(lambda: not self._waiting, within_s=APPEARS_WITHIN_S)
        self._done.set()
        self._thread.join(30)
        self._reader.close()

    def _run(self) -> None:
        while not self._done.wait(0.05):
            with self._lock:
                waiting = list(self._waiting)
            for entry in waiting:
                if self._done.is_set():
                    return
                with contextlib.suppress(httpx.TransportError, AssertionError):
                    if self._reader.complete(entry[1], entry[2]):
                        self._figures.appear_s.append(time.monotonic() - entry[0])
                        with self._lock:
                            self._waiting.remove(entry)


@contextlib.contextmanager
def tmpfs(place: Path, kilobytes: int) -> Generator[bool]:
    """Mount a small tmpfs at `place`; yields whether that was allowed."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=700", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=True)
