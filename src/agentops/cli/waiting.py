"""What waits in the journal of this home, what was lost, and what was kept aside."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from agentops.cli.findings import Finding, Level, age, size
from agentops.journal import fallback_folder, folder_stats, refused_keys
from agentops.journal.folder import REJECTED, kept_aside, pending_start, segments
from agentops.journal.header import NotASegment, decode_header
from agentops.journal.losses import FILE, REASONS, gather_markers
from agentops.shipper.http import is_loopback

_LITTLE_ROOM_BYTES: Final = 100_000_000
_LATE_S: Final = 60.0
_WHY: Final[dict[str, str]] = {**REASONS}
_FIXES: Final = {
    "over_size_limit": "start a server (agentops serve), or allow more with AGENTOPS_JOURNAL_MAX_BYTES",
    "torn": "nothing: the call that wrote it had not returned",
    "corrupt": "check the disk",
    "refused": "the reason stands beside each record that was kept aside",
    "partly_refused": "see the program's log of that time",
    "too_large": "record less in one call, or set AGENTOPS_MAX_VALUE_BYTES lower",
    "memory_full": "free the disk, or set AGENTOPS_HOME to a folder that can be written",
    "exit": "free the disk, or set AGENTOPS_HOME to a folder that can be written",
    "unkept": "free the disk",
    "bug": "please report it",
}


def journal_findings(home: Path, endpoint: str, answers: bool) -> Iterator[Finding]:
    """Measure the journal.

    Args:
        home: The folder of everything local.
        endpoint: The server that programs started here would record to.
        answers: Whether it does answer.
    """
    folder = home / "journal"
    yield from _home(home, folder)
    for place in (folder, fallback_folder(folder)):
        gather_markers(place)
    stats = folder_stats(folder)
    elsewhere = _elsewhere(folder, endpoint)
    if not stats.backlog_bytes:
        yield Finding("ok", "journal", "nothing waits to be shipped")
    else:
        oldest = stats.oldest_age_s or 0.0
        waits = (
            f"{stats.backlog_records} records ({size(stats.backlog_bytes)}) wait to be shipped, "
            f"the oldest segment for {age(oldest)}"
        )
        if answers and oldest > _LATE_S and stats.backlog_bytes > elsewhere.total():
            yield Finding(
                "wrong",
                "journal",
                waits,
                "the server answers and does not take them: see its log, and the API key",
            )
        elif answers:
            yield Finding("ok", "journal", waits)
        else:
            yield Finding(
                "note", "journal", waits, "they are shipped when the server answers; nothing is lost"
            )
    for meant, pending in elsewhere.items():
        yield Finding(
            "note",
            "journal",
            f"{size(pending)} of it are for another server, {meant}",
            f"start it, or record with AGENTOPS_API_ENDPOINT={meant} once: the next program ships them",
        )
    if stats.backlog_bytes:
        for refusing in sorted({endpoint for endpoint, _ in refused_keys(folder)}):
            yield Finding(
                "wrong",
                "journal",
                f"{refusing} has refused the key that records here were made with",
                "set AGENTOPS_API_KEY to a key of it: the next program takes those records along",
            )
    for reason, records in stats.lost.items():
        why = _WHY.get(reason, "no reason known to this version")
        fix = f"{_FIXES.get(reason, 'upgrade agentops')}. Seen and noted: delete {_places(folder, FILE)}"
        level: Level = "note" if reason == "torn" else "wrong"
        yield Finding(level, "journal", f"{records} records were lost ({reason}): {why}", fix)
    if stats.rejected_files:
        places = _places(folder, REJECTED)
        yield Finding(
            "wrong",
            "journal",
            f"records that no server takes were kept aside: {stats.rejected_files} files, "
            f"{size(stats.rejected_bytes)}{_first_reason(folder)}",
            f"each line says why. Seen and noted: delete {places}",
        )


def _home(home: Path, folder: Path) -> Iterator[Finding]:
    above = folder
    while not above.exists():
        above = above.parent
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        yield Finding(
            "wrong",
            "home",
            f"{folder} cannot be written: records go to {fallback_folder(folder)}",
            f"make {above} writable, or set AGENTOPS_HOME to a folder that is",
        )
        return
    free = 0
    with suppress(OSError):
        free = shutil.disk_usage(above).free
    if free < _LITTLE_ROOM_BYTES:
        yield Finding(
            "wrong", "home", f"only {size(free)} are free for {home}", "free the disk, or set AGENTOPS_HOME"
        )
    else:
        made = "" if home.exists() else ", made at the first record"
        yield Finding("ok", "home", f"{home} ({size(free)} free{made})")


def _elsewhere(folder: Path, endpoint: str) -> Counter[str]:
    """Return the bytes that wait for each server other than the one configured here."""
    waiting: Counter[str] = Counter()
    for place in (folder, fallback_folder(folder)):
        for path in segments(place):
            with suppress(OSError, NotASegment):
                with path.open("rb") as file:
                    meant = decode_header(file.readline()).endpoint
                if meant and _address(meant) != _address(endpoint):
                    waiting[meant] += path.stat().st_size - pending_start(path)
    return +waiting


def _address(endpoint: str) -> tuple[str, int | None]:
    with suppress(ValueError):
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
        return "127.0.0.1" if is_loopback(host) else host, parts.port or (
            443 if parts.scheme == "https" else 80
        )
    return endpoint, None


def _places(folder: Path, name: str) -> str:
    return " and ".join(
        str(place / name) for place in (folder, fallback_folder(folder)) if (place / name).exists()
    )


def _first_reason(folder: Path) -> str:
    import msgspec

    for place in (folder, fallback_folder(folder)):
        for path in reversed(kept_aside(place)):
            with suppress(OSError, msgspec.DecodeError, KeyError, TypeError):
                with path.open("rb") as file:
                    line = msgspec.json.decode(file.readline())
                return f"; one because: {str(line['why'])[:200]}"
    return ""
