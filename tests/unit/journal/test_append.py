"""What a recording call may rely on when `append` has returned."""

from __future__ import annotations

import itertools
import os
import signal
import stat
import threading
from pathlib import Path
from types import FrameType

import pytest

from agentops.journal import Header, Journal, folder_stats
from agentops.journal.header import decode_header
from tests.unit.journal.records import RESOURCE, crash, drained, files_in, header, journal_in, record


def test_a_record_is_on_disk_when_append_returns(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    journal = journal_in(folder)
    journal.append(record(1))
    (name,) = files_in(folder)
    first, second = (folder / name).read_bytes().splitlines()
    assert second == record(1)
    read = decode_header(first)
    assert (read.resource, read.endpoint, read.owner, read.pid) == (
        RESOURCE,
        header().endpoint,
        "",
        os.getpid(),
    )
    assert journal.stats().records == 1


def test_folder_and_files_are_private(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        journal = journal_in(tmp_path / "home" / "journal")
        journal.append(record(1))
    finally:
        os.umask(previous)
    folder = tmp_path / "home" / "journal"
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


def test_nothing_appears_before_the_first_record(tmp_path: Path) -> None:
    journal = journal_in(tmp_path / "journal")
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_segment_makes_way_for_the_next(tmp_path: Path) -> None:
    journal = journal_in(tmp_path, segment_bytes=500)
    for number in range(20):
        journal.append(record(number, padding=100))
    assert len(files_in(tmp_path)) > 3
    journal.close()
    assert sorted(drained(tmp_path)[0]) == list(range(20))
    assert files_in(tmp_path) == []


def test_a_new_segment_has_the_header_of_its_time(tmp_path: Path) -> None:
    endpoints = iter(["http://first", "http://second"])
    journal = Journal(
        tmp_path, lambda: Header(RESOURCE, next(endpoints)), segment_bytes=1 << 20, max_bytes=1 << 30
    )
    journal.append(record(1))
    journal.rotate()
    journal.append(record(2))
    headers = [decode_header((tmp_path / name).read_bytes().splitlines()[0]) for name in files_in(tmp_path)]
    assert [header.endpoint for header in headers] == ["http://first", "http://second"]


@pytest.mark.parametrize("resource", [b"", b"{", b"[1]", b'{"attributes":\n[]}'])
def test_a_broken_resource_does_not_break_the_segment(tmp_path: Path, resource: bytes) -> None:
    journal = Journal(
        tmp_path, lambda: Header(resource, header().endpoint), segment_bytes=1 << 20, max_bytes=1 << 30
    )
    journal.append(record(1))
    journal.close()
    assert drained(tmp_path)[0] == [1]


def test_a_header_that_cannot_be_made_does_not_lose_the_record(tmp_path: Path) -> None:
    def fails() -> Header:
        raise RuntimeError("not ready")

    journal = Journal(tmp_path, fails, segment_bytes=1 << 20, max_bytes=1 << 30)
    journal.append(record(1))
    (name,) = files_in(tmp_path)
    assert record(1) in (tmp_path / name).read_bytes()


def test_a_newline_inside_a_record_does_not_split_it(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.append(record(1).replace(b",", b",\n"))
    journal.close()
    assert drained(tmp_path)[0] == [1]


def test_threads_do_not_mix_their_records(tmp_path: Path) -> None:
    journal = journal_in(tmp_path, segment_bytes=20_000)

    def append_many(first: int) -> None:
        for number in range(first, first + 500):
            journal.append(record(number, padding=number % 300))

    threads = [threading.Thread(target=append_many, args=(start,)) for start in range(0, 4000, 500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    numbers, result = drained(tmp_path)
    assert sorted(numbers) == list(range(4000))
    assert result.lost == {}


def test_records_made_by_signals_inside_an_append_are_on_disk_too(tmp_path: Path) -> None:
    """A handler that records may break into an append at any bytecode, of the slow path too."""
    journal = journal_in(tmp_path, segment_bytes=3_000)
    from_handler: list[int] = []
    handler_numbers = itertools.count(1_000_000)

    def on_alarm(signum: int, frame: FrameType | None) -> None:
        number = next(handler_numbers)
        journal.append(record(number))
        from_handler.append(number)
        # Once more, but not before this one is done: on a slow machine they would pile up without end.
        signal.setitimer(signal.ITIMER_REAL, 0.0002)

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.0002)
    try:
        number = 0
        while len(from_handler) < 200:
            journal.append(record(number))
            number += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert journal.stats().records == number + len(from_handler)
    journal.close()
    numbers, result = drained(tmp_path)
    assert sorted(numbers) == list(range(number)) + from_handler
    assert result.lost == {}


def test_an_error_of_the_listener_does_not_reach_the_program(tmp_path: Path) -> None:
    def fails() -> None:
        raise RuntimeError("no")

    journal = Journal(tmp_path, header, segment_bytes=1 << 20, max_bytes=1 << 30, on_append=fails)
    journal.append(record(1))
    journal.close()
    assert drained(tmp_path)[0] == [1]


def test_a_journal_may_be_used_again_after_close(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.append(record(1))
    journal.close()
    journal.append(record(2))
    crash(journal)
    assert drained(tmp_path)[0] == [1, 2]


def test_stats_of_the_folder_count_what_waits(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    assert folder_stats(tmp_path).backlog_records == 0
    for number in range(5):
        journal.append(record(number))
    stats = folder_stats(tmp_path)
    assert (stats.segments, stats.backlog_records, stats.backlog_bytes) == (1, 5, 5 * (len(record(0)) + 1))
    assert stats.oldest_age_s is not None
    assert 0 <= stats.oldest_age_s < 60
    assert folder_stats(tmp_path, count_records=False).backlog_records is None
