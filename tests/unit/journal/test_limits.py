"""What happens when there is no room: said, counted, never raised, undone by itself."""

from __future__ import annotations

import logging
import os
import resource
from pathlib import Path

import pytest

from agentops.journal import Journal, fallback_folder, folder_stats, places
from agentops.journal.losses import REASONS
from tests.unit.journal.records import crash, drained, files_in, header, journal_in, record
from tests.waiting import eventually


@pytest.fixture
def unwritable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal folder that cannot be made, in a world with a temporary folder of its own."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    (tmp_path / "home").write_text("a file where the home should be")
    return tmp_path / "home" / "journal"


def test_an_unwritable_home_falls_back_to_a_private_temporary_folder(
    unwritable: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = journal_in(unwritable)
    with caplog.at_level(logging.WARNING, "agentops"):
        for number in range(3):
            journal.append(record(number))
    assert journal.stats().place == "fallback"
    assert len(caplog.records) == 1
    assert "AGENTOPS_HOME" in caplog.text
    fallback = fallback_folder(unwritable)
    assert fallback.stat().st_mode & 0o777 == 0o700
    crash(journal)
    assert drained(unwritable)[0] == [0, 1, 2]


def test_a_temporary_folder_of_somebody_else_is_not_used(unwritable: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    fallback_folder(unwritable).parent.symlink_to(elsewhere)
    journal = journal_in(unwritable)
    journal.append(record(1))
    assert journal.stats().place == "memory"
    assert list(elsewhere.iterdir()) == []


def test_a_home_that_belongs_to_somebody_else_is_used_when_it_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    journal = journal_in(tmp_path)
    journal.append(record(1))
    assert journal.stats().place == "home"


def test_without_any_folder_records_wait_in_memory_and_return_to_disk(
    unwritable: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fallback_folder(unwritable).parent.write_text("in the way")
    monkeypatch.setattr(places, "RETRY_S", 0.05)
    journal = Journal(unwritable, header, segment_bytes=1 << 20, max_bytes=1 << 30, memory_bytes=500)
    for number in range(100):
        journal.append(record(number))
    stats = journal.stats()
    assert stats.place == "memory"
    assert 0 < stats.memory_records < 100
    assert stats.lost == {"memory_full": 100 - stats.memory_records}
    unwritable.parent.unlink()
    extra = iter(range(1000, 2000))

    def back_on_disk() -> bool:
        journal.append(record(next(extra)))
        return journal.stats().place == "home"

    eventually(back_on_disk)
    assert journal.stats().memory_records == 0
    crash(journal)
    numbers, _ = drained(unwritable)
    assert numbers[: stats.memory_records] == list(range(stats.memory_records))


def test_what_is_in_memory_goes_to_whatever_room_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    folder = tmp_path / "journal"
    journal = journal_in(folder)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        for number in range(150):
            journal.append(record(number, padding=1000))
        assert journal.stats().memory_records == 150
        resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, hard))  # Less than all of it.
        journal.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert journal.stats().lost == {}
    assert sorted(drained(folder)[0]) == list(range(150))


def test_what_is_only_in_memory_at_the_end_is_counted(unwritable: Path) -> None:
    fallback_folder(unwritable).parent.write_text("in the way")
    journal = journal_in(unwritable)
    journal.append(record(1))
    journal.close()
    assert journal.stats().lost == {"exit": 1}


def test_the_folder_never_outgrows_its_limit_and_drops_the_oldest(tmp_path: Path) -> None:
    journal = journal_in(tmp_path, segment_bytes=5_000, max_bytes=40_000)
    for number in range(1000):
        journal.append(record(number, padding=200))
        total = sum(path.stat().st_size for path in tmp_path.glob("*.jsonl") if path.name[0].isdigit())
        assert total <= 40_000 + 400
    crash(journal)
    lost = journal.stats().lost["over_size_limit"]
    numbers, _ = drained(tmp_path)
    assert numbers == list(range(lost, 1000))
    assert lost < 950


def test_what_is_acknowledged_goes_before_what_is_not(tmp_path: Path) -> None:
    first = journal_in(tmp_path)
    first.append(record(1, padding=1000))
    crash(first)
    second = journal_in(tmp_path)
    second.append(record(2, padding=1000))
    path = crash(second)
    assert path is not None
    Path(str(path) + ".cursor").write_bytes(b"%020d\n" % path.stat().st_size)
    third = journal_in(tmp_path, segment_bytes=100, max_bytes=2000)
    third.append(record(3))
    assert third.stats().lost == {}
    crash(third)
    assert drained(tmp_path)[0] == [1, 3]


def test_a_segment_that_somebody_holds_is_not_dropped(tmp_path: Path) -> None:
    holder = journal_in(tmp_path)
    holder.append(record(1, padding=5000))
    other = journal_in(tmp_path, segment_bytes=100, max_bytes=1000)
    for number in range(2, 30):
        other.append(record(number))
    crash(holder)
    crash(other)
    assert 1 in drained(tmp_path)[0]


def test_every_reason_is_explained_in_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "journal.md").read_text()
    assert [reason for reason in REASONS if f"| `{reason}` |" not in page] == []


def test_losses_are_kept_for_the_doctor(tmp_path: Path) -> None:
    for _ in range(2):
        journal = journal_in(tmp_path, max_bytes=100)
        journal.append(record(1, padding=1000))
        journal.close()
    assert folder_stats(tmp_path).lost == {"too_large": 2}
    assert files_in(tmp_path) == []
