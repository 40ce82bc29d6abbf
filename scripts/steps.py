"""A step: one command with a title, shown while it works, quiet when it succeeds, loud when it fails.

Standard library only: the first steps run before anything is installed. On a terminal the last line moves;
elsewhere (CI, a pipe) one line says that the step began, one every 20 seconds that it goes on, one its end.
A step that runs beside others says its end only.
"""

from __future__ import annotations

import collections
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"

_TAIL_LINES = 60


class StepFailed(Exception):
    """A step did not succeed; the message is all that its user needs to read."""


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(text, flush=True)


def duration(seconds: float) -> str:
    """Return a duration as people say it: `0.4 s`, `12 s`, `3 min 5 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def run(
    title: str,
    command: Sequence[str | Path],
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    beside: bool = False,
) -> None:
    """Run a command as a step; `beside` others, which show how they go on.

    Raises:
        StepFailed: it could not be started or ended with another code than 0; carries the end of its output.
    """
    began = time.monotonic()
    recent: collections.deque[str] = collections.deque(maxlen=_TAIL_LINES)
    try:
        child = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise StepFailed(f"{title}: {command[0]} cannot be started: {error}") from error

    def listen() -> None:
        assert child.stdout is not None
        for line in child.stdout:
            if line.strip():
                recent.append(line.rstrip())

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    _show(title, child, recent, began, beside)
    listener.join(timeout=5)
    if child.stdout is not None and not listener.is_alive():
        child.stdout.close()
    if child.returncode != 0:
        shown = "\n".join(f"    {line}" for line in recent)
        raise StepFailed(f"{title}: failed with code {child.returncode}\n{shown}")


def _show(
    title: str, child: subprocess.Popen[str], recent: collections.deque[str], began: float, beside: bool
) -> None:
    terminal = sys.stdout.isatty()
    if not terminal and not beside:
        say(f"  {title} ...")
    told = began
    while True:
        try:
            child.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            pass
        now = time.monotonic()
        if child.returncode is not None:
            break
        if beside:
            continue
        last = recent[-1].strip() if recent else ""
        if terminal:
            width = shutil.get_terminal_size().columns - 1
            line = f"  {title} ({duration(now - began)}) {last}"[:width]
            print(f"\r\x1b[K{line}", end="", flush=True)
        elif now - told > 20:
            told = now
            say(f"  {title} ... {duration(now - began)} {last[:80]}")
    mark = "✓" if child.returncode == 0 else "✗"
    start = "\r\x1b[K" if terminal else ""
    say(f"{start}{mark} {title} ({duration(time.monotonic() - began)})")


def digest(files: Iterable[Path], *more: str) -> str:
    """Return a hash of files (names, contents) and texts: equal hash, nothing to do again."""
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(f"{path.relative_to(ROOT)}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    for text in more:
        whole.update(f"\0{text}".encode())
    return whole.hexdigest()


def is_done(stamp: Path, wanted: str) -> bool:
    """Return whether the stamp file says that the work for this hash was completed."""
    try:
        return stamp.read_text() == wanted
    except OSError:
        return False


def mark_done(stamp: Path, wanted: str) -> None:
    """Remember that the work for this hash is complete."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)


def clean_env() -> dict[str, str]:
    """Return the environment without what would make another Python's packages or settings leak in."""
    leaking = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    return {name: value for name, value in os.environ.items() if name not in leaking}
