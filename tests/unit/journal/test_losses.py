"""What is lost is counted, once, whatever the disk says, and told from what others have lost."""

from __future__ import annotations

import logging
import resource
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agentops.journal import fallback_folder, folder_stats, losses, orphans
from agentops.journal.losses import FILE, Losses, saved_losses
from tests.unit.journal.records import crash, drained, journal_in, record


@contextmanager
def no_room() -> Generator[None]:
    """No file of this process may grow: a disk that is full, for data."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_count_survives_a_disk_that_takes_no_line_of_it(tmp_path: Path) -> None:
    counted = Losses()
    counted.note("memory_full", 1234)
    counted.note("exit", 5)
    with no_room():
        counted.save(tmp_path)
    assert folder_stats(tmp_path).lost == {"memory_full": 1234, "exit": 5}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0
    # Whoever looks for orphans when there is room again tidies up.
    assert orphans(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert folder_stats(tmp_path).lost == {"memory_full": 1234, "exit": 5}
    counted.save(tmp_path)
    assert folder_stats(tmp_path).lost == {"memory_full": 1234, "exit": 5}, "saved twice"


def test_a_full_temporary_folder_is_the_same_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the program and the doctor, who comes later, would look for one fallback in two places."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)  # As in a process that has just begun.
    with no_room():
        assert tmp_path in fallback_folder(tmp_path / "journal").parents


def test_what_was_only_in_memory_at_the_end_is_counted_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    folder = tmp_path / "journal"
    journal = journal_in(folder)
    journal.append(record(0))
    with no_room():
        for number in range(1, 8):
            journal.append(record(number))
        assert journal.stats().memory_records == 7
        journal.close()
    assert folder_stats(folder).lost == {"exit": 7}
    assert drained(folder)[0] == [0]


def test_a_count_that_no_folder_takes_waits_for_the_next_try(tmp_path: Path) -> None:
    counted = Losses()
    counted.note("exit", 3)
    counted.save(tmp_path / "absent")
    counted.save(tmp_path)
    assert saved_losses(tmp_path) == {"exit": 3}


def test_the_file_of_losses_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "LONGEST_FILE_BYTES", 2_000)
    counted = Losses()
    for _ in range(200):
        counted.note("torn", 2)
        counted.note("refused", 1)
        counted.save(tmp_path)
        assert (tmp_path / FILE).stat().st_size <= 2_200
    assert saved_losses(tmp_path) == {"torn": 400, "refused": 200}


def test_what_another_process_has_lost_is_not_this_ones_loss(tmp_path: Path) -> None:
    """A session's page says what its own process lost, not what that process found and had to drop."""
    dead = journal_in(tmp_path)
    for number in range(20):
        dead.append(record(number, padding=200))
    path = crash(dead)
    assert path is not None
    header, _, rest = path.read_bytes().partition(b"\n")
    path.write_bytes(header.replace(b'"pid":', b'"pid":1') + b"\n" + rest)
    journal = journal_in(tmp_path, segment_bytes=1_000, max_bytes=4_000)
    for number in range(20, 60):
        journal.append(record(number, padding=200))
    stats = journal.stats()
    assert stats.lost["over_size_limit"] == stats.own_lost["over_size_limit"] + 20
    assert 0 < stats.own_lost["over_size_limit"] < 40


def test_dropping_the_oldest_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = journal_in(tmp_path, segment_bytes=1_000, max_bytes=4_000)
    with caplog.at_level(logging.WARNING, "agentops"):
        for number in range(200):
            journal.append(record(number, padding=200))
    assert len(caplog.records) == 1
    assert "AGENTOPS_JOURNAL_MAX_BYTES" in caplog.text
    assert str(tmp_path) in caplog.text


def test_a_record_larger_than_the_journal_is_said_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = journal_in(tmp_path, max_bytes=100)
    with caplog.at_level(logging.WARNING, "agentops"):
        for number in range(3):
            journal.append(record(number, padding=1_000))
    assert journal.stats().own_lost == {"too_large": 3}
    assert len(caplog.records) == 1
    assert "AGENTOPS_MAX_VALUE_BYTES" in caplog.text
