"""What is read back from segments that crashes, disks and strangers have left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentops.journal import Segment, folder_stats, orphans
from agentops.journal.segment import CURSOR_SUFFIX, NEW_SUFFIX
from agentops.shipper import Outcome
from agentops.shipper.delivery import deliver_next
from tests.unit.journal.records import (
    ENDPOINT,
    Inbox,
    crash,
    drained,
    files_in,
    journal_in,
    kept_aside_in,
    log_record,
    record,
)


def crashed(folder: Path, count: int) -> Path:
    """A segment with records 0 to count - 1 that a dead process has left."""
    journal = journal_in(folder)
    for number in range(count):
        journal.append(record(number))
    path = crash(journal)
    assert path is not None
    return path


def test_a_segment_that_is_written_is_no_orphan(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.append(record(1))
    assert orphans(tmp_path) == []
    assert drained(tmp_path)[0] == []
    path = crash(journal)
    assert orphans(tmp_path) == [path]
    assert drained(tmp_path)[0] == [1]
    assert files_in(tmp_path) == []


def test_every_byte_at_which_the_last_write_may_be_torn(tmp_path: Path) -> None:
    line = record(2) + b"\n"
    for cut in range(1, len(line)):
        folder = tmp_path / str(cut)
        path = crashed(folder, 2)
        with path.open("ab") as file:
            file.write(line[:cut])
        numbers, result = drained(folder)
        assert numbers == [0, 1]
        assert result.lost == {"torn": 1}
        assert files_in(folder) == []
        assert [aside["record"].encode() for aside in kept_aside_in(folder)] == [line[:cut].rstrip(b"\n")]
        assert folder_stats(folder).lost == {"torn": 1}


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0" * 40,
        b'{"spans":[{"name":"7"}]',
        b'{"spans":[{"name":"7"}]}}',
        b'{"other":[]}',
        b"null",
        b"\xff\xfe{",
        b'"spans"',
    ],
)
def test_a_damaged_line_is_kept_aside_and_spoils_no_other(tmp_path: Path, garbage: bytes) -> None:
    path = crashed(tmp_path, 2)
    with path.open("ab") as file:
        file.write(garbage + b"\n" + record(2) + b"\n")
    numbers, result = drained(tmp_path)
    assert numbers == [0, 1, 2]
    assert result.lost == {"corrupt": 1}
    (aside,) = kept_aside_in(tmp_path)
    assert aside["reason"] == "corrupt"
    assert files_in(tmp_path) == []


def test_a_damaged_line_is_kept_aside_once_however_often_the_server_fails(tmp_path: Path) -> None:
    path = crashed(tmp_path, 2)
    with path.open("ab") as file:
        file.write(b"garbage\n" + record(2) + b"\n")
    inbox = Inbox()
    inbox.answers = [Outcome("later", "busy"), Outcome("later", "busy")]
    for _ in range(3):
        drained(tmp_path, inbox)
    assert inbox.numbers == [0, 1, 2]
    assert len(kept_aside_in(tmp_path)) == 1


def test_a_segment_without_a_readable_header_is_kept_aside_whole(tmp_path: Path) -> None:
    path = crashed(tmp_path, 2)
    path.write_bytes(b"not a header\n" + record(1) + b"\n")
    numbers, result = drained(tmp_path)
    assert numbers == []
    assert result.lost == {"corrupt": 2}
    assert [file.name for file in (tmp_path / "rejected").iterdir()] == [path.name]


def test_a_segment_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = crashed(tmp_path, 1)
    newer = path.read_bytes().replace(b'"agentops_journal":1', b'"agentops_journal":2')
    path.write_bytes(newer)
    assert drained(tmp_path)[0] == []
    assert path.read_bytes() == newer


def test_an_empty_segment_vanishes(tmp_path: Path) -> None:
    path = crashed(tmp_path, 1)
    path.write_bytes(b"")
    assert drained(tmp_path) == ([], drained(tmp_path)[1])
    assert files_in(tmp_path) == []


def test_a_segment_for_another_server_is_left_alone(tmp_path: Path) -> None:
    path = crashed(tmp_path, 1)
    path.write_bytes(path.read_bytes().replace(ENDPOINT.encode(), b"http://elsewhere"))
    assert drained(tmp_path)[0] == []
    assert path.exists()


def test_shipping_goes_on_where_the_cursor_stands(tmp_path: Path) -> None:
    path = crashed(tmp_path, 4)
    inbox = Inbox()
    inbox.answers = [Outcome("accepted"), Outcome("later", "busy")]
    drained(tmp_path, inbox, chunk_bytes=2 * len(record(0)) + 2)
    assert inbox.numbers == [0, 1]
    assert folder_stats(tmp_path).backlog_records == 2
    assert drained(tmp_path)[0] == [2, 3]
    assert not path.exists()
    assert list(tmp_path.glob("*" + CURSOR_SUFFIX)) == []


@pytest.mark.parametrize(
    "cursor", [b"", b"12", b"\0" * 21, b"%020d\n" % 3, b"%020d\n" % 10**9, b"%020d\n" % 150]
)
def test_a_cursor_that_cannot_be_right_means_from_the_start(tmp_path: Path, cursor: bytes) -> None:
    path = crashed(tmp_path, 3)
    Path(str(path) + CURSOR_SUFFIX).write_bytes(cursor)
    assert drained(tmp_path)[0] == [0, 1, 2]


def test_what_the_server_refuses_is_found_by_halving(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    for number in range(20):
        journal.append(record(number))
    crash(journal)

    class Picky(Inbox):
        def __call__(self, signal: str, body: bytes) -> Outcome:  # pyright: ignore[reportIncompatibleMethodOverride] -- wider
            if b'"name":"13"' in body:
                return Outcome("refused", "HTTP 400: unlucky")
            return super().__call__("traces", body)

    inbox = Picky()
    numbers, result = drained(tmp_path, inbox)
    assert numbers == [number for number in range(20) if number != 13]
    assert result.lost == {"refused": 1}
    (aside,) = kept_aside_in(tmp_path)
    assert (aside["reason"], aside["why"], aside["record"]) == (
        "refused",
        "HTTP 400: unlucky",
        record(13).decode(),
    )


def test_spans_and_logs_go_their_own_ways(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    for number in range(6):
        journal.append(log_record(number) if number % 3 == 0 else record(number))
    crash(journal)
    inbox = Inbox()
    drained(tmp_path, inbox)
    assert [signal for signal, _ in inbox.bodies] == ["traces", "logs"]
    assert inbox.numbers == [1, 2, 4, 5, 0, 3]


def test_a_record_longer_than_a_request_goes_alone(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.append(record(1))
    journal.append(record(2, padding=10_000))
    journal.append(record(3))
    crash(journal)
    inbox = Inbox()
    drained(tmp_path, inbox, chunk_bytes=200)
    assert inbox.numbers == [1, 2, 3]
    assert len(inbox.bodies) == 3


def test_leftovers_without_records_are_swept(tmp_path: Path) -> None:
    path = crashed(tmp_path, 1)
    lone = tmp_path / ("00000000000000000001-1-aa.jsonl" + CURSOR_SUFFIX)
    lone.write_bytes(b"%020d\n" % 100)
    unborn = tmp_path / ("00000000000000000001-1-bb.jsonl" + NEW_SUFFIX)
    unborn.write_bytes(b"")
    fresh = tmp_path / ("00000000000000000001-1-cc.jsonl" + NEW_SUFFIX)
    fresh.write_bytes(b"")
    os.utime(unborn, (1, 1))
    assert orphans(tmp_path) == [path]
    assert not lone.exists()
    assert not unborn.exists()
    assert fresh.exists()


def test_a_claimed_segment_cannot_be_claimed_again(tmp_path: Path) -> None:
    path = crashed(tmp_path, 1)
    first = Segment.claim(path)
    assert first is not None
    assert Segment.claim(path) is None
    first.abandon()
    second = Segment.claim(path)
    assert second is not None
    second.acknowledge(second.size)
    assert second.finish()
    assert Segment.claim(path) is None


def test_a_line_that_is_just_being_written_is_waited_for(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.append(record(1))
    segment = journal.borrow()
    assert segment is not None
    inbox = Inbox()
    line = record(2) + b"\n"
    for piece in (line[:10], line[10:]):
        os.write(segment.fd, piece)
        deliver_next(segment, inbox, journal.losses, 1 << 20)
    assert inbox.numbers == [1, 2]
    assert journal.losses.by_reason() == {}
    journal.give_back(segment)


def test_a_segment_that_fills_up_while_it_is_shipped_stays_with_its_shipper(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    journal.append(record(1))
    segment = journal.borrow()
    assert segment is not None
    journal.rotate()
    assert Segment.claim(segment.path) is None
    deliver_next(segment, Inbox(), journal.losses, 1 << 20)
    journal.give_back(segment)
    assert files_in(tmp_path) == []


def test_deleting_a_segment_under_its_owner_loses_nothing(tmp_path: Path) -> None:
    """Somebody empties the folder while a process records: what was not shipped is written again."""
    journal = journal_in(tmp_path)
    journal.append(record(1))
    for path in tmp_path.iterdir():
        path.unlink()
    segment = journal.borrow()
    assert segment is not None
    journal.give_back(segment)
    journal.append(record(2))
    journal.close()
    assert drained(tmp_path)[0] == [1, 2]
