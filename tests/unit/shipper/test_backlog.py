"""What dead processes left behind leaves in few requests, and one bad segment spoils no other."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agentops.journal import Header, Journal
from agentops.journal.segment import CURSOR_SUFFIX
from agentops.shipper import ACCEPTED, Outcome, Signal, drain_orphans
from tests.unit.journal.records import (
    ENDPOINT,
    Inbox,
    crash,
    drained,
    files_in,
    journal_in,
    kept_aside_in,
    log_record,
    numbers_in,
    record,
)
from tests.unit.shipper.sink import recorder, sink_server
from tests.waiting import eventually


def left_behind(folder: Path, first: int, count: int = 2, endpoint: str = ENDPOINT, owner: str = "") -> Path:
    """A segment that a killed process left: `count` spans and a log record, numbered from `first`."""
    resource = b'{"attributes":[{"key":"n","value":{"stringValue":"%d"}}]}' % first
    named = Header(resource, endpoint, owner)
    journal = Journal(folder, lambda: named, segment_bytes=1 << 20, max_bytes=1 << 30)
    for number in range(first, first + count):
        journal.append(record(number))
    journal.append(log_record(first + count))
    path = crash(journal)
    assert path is not None
    return path


def test_hundreds_of_dead_processes_cost_a_few_requests(tmp_path: Path) -> None:
    for first in range(0, 900, 3):
        left_behind(tmp_path, first)
    inbox = Inbox()
    numbers, result = drained(tmp_path, inbox)
    assert sorted(numbers) == list(range(900))
    assert (result.records, result.segments, result.lost) == (900, 300, {})
    assert len(inbox.bodies) <= 4
    assert list(tmp_path.iterdir()) == []


def test_each_keeps_its_own_resource(tmp_path: Path) -> None:
    for first in (0, 3, 6):
        left_behind(tmp_path, first)
    inbox = Inbox()
    drained(tmp_path, inbox)
    (_, traces), (_, logs) = inbox.bodies
    for groups, scopes, records, offset in (
        (msgspec.json.decode(traces)["resourceSpans"], "scopeSpans", "spans", 0),
        (msgspec.json.decode(logs)["resourceLogs"], "scopeLogs", "logRecords", 2),
    ):
        shown = [
            (group["resource"]["attributes"][0]["value"]["stringValue"], group[scopes][0][records][0]["name"])
            for group in groups
        ]
        assert shown == [(str(first), str(first + offset)) for first in (0, 3, 6)]


def test_what_was_recorded_under_different_keys_never_shares_a_request(tmp_path: Path) -> None:
    """And whoever says yes to a segment knows that what is sent next is under the same key."""
    owners = ["a", "b", "", "b", "a", "c", "a"]
    for place, owner in enumerate(owners):
        left_behind(tmp_path, place * 3, owner=owner)
    asked: list[str] = []
    sent: dict[str, set[int]] = {}

    def accept(header: Header) -> bool:
        asked.append(header.owner)
        return header.owner != "c"

    def send(signal: Signal, body: bytes) -> Outcome:
        sent.setdefault(asked[-1], set()).update(numbers_in(body))
        return ACCEPTED

    drained = drain_orphans(tmp_path, send, accept)
    assert drained.records == 18
    assert sent == {
        owner: {place * 3 + more for place, one in enumerate(owners) if one == owner for more in range(3)}
        for owner in ("a", "b", "")
    }
    assert len(files_in(tmp_path)) == 1


def test_torn_damaged_and_refused_records_spoil_no_other_segment(tmp_path: Path) -> None:
    paths = [left_behind(tmp_path, first) for first in range(0, 15, 3)]
    with paths[1].open("ab") as file:
        file.write(b'{"spans":[{"name"')
    with paths[2].open("ab") as file:
        file.write(b"garbage\n")

    class Picky(Inbox):
        def __call__(self, signal: Signal, body: bytes) -> Outcome:
            if b'"name":"9"' in body:
                return Outcome("refused", "HTTP 400: unlucky")
            return super().__call__(signal, body)

    numbers, result = drained(tmp_path, Picky())
    assert sorted(set(numbers)) == [number for number in range(15) if number != 9]
    assert result.lost == {"torn": 1, "corrupt": 1, "refused": 1}
    assert sorted(aside["reason"] for aside in kept_aside_in(tmp_path)) == ["corrupt", "refused", "torn"]
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("failing", [0, 1])
def test_a_server_that_fails_in_between_gets_the_rest_later(tmp_path: Path, failing: int) -> None:
    for first in range(0, 30, 3):
        left_behind(tmp_path, first)
    inbox = Inbox()
    inbox.answers = [*([ACCEPTED] * failing), Outcome("later", "busy")]
    _, result = drained(tmp_path, inbox)
    assert result.stopped == "busy"
    assert len(files_in(tmp_path)) == 10
    drained(tmp_path, inbox)
    assert set(inbox.numbers) == set(range(30))
    assert files_in(tmp_path) == []


def test_large_segments_go_in_many_requests(tmp_path: Path) -> None:
    journal = journal_in(tmp_path)
    for number in range(100):
        journal.append(record(number, padding=200))
    journal.close()
    left_behind(tmp_path, 100)
    inbox = Inbox()
    numbers, result = drained(tmp_path, inbox, chunk_bytes=2_000)
    assert sorted(numbers) == list(range(103))
    assert len(inbox.bodies) > 10
    assert result.lost == {}


def test_a_cursor_that_cannot_be_written_does_not_keep_it_in_place(tmp_path: Path) -> None:
    """On a full disk a chunk that was taken is not sent again and again."""
    path = left_behind(tmp_path, 0, count=60)
    (tmp_path / (path.name + CURSOR_SUFFIX)).mkdir()
    inbox = Inbox()
    numbers, _ = drained(tmp_path, inbox, chunk_bytes=500)
    assert numbers == list(range(61))
    assert not path.exists()


def test_over_http_they_go_together_too(tmp_path: Path) -> None:
    with sink_server() as sink:
        for first in range(0, 300, 3):
            left_behind(tmp_path, first, endpoint=sink.url)
        with recorder(tmp_path, sink.url) as (journal, shipper):
            journal.append(record(1000))
            eventually(lambda: len(sink.numbers) >= 301)
            assert shipper.flush(5)
        assert sorted(sink.numbers) == [*range(300), 1000]
        assert len(sink.requests) <= 8
        eventually(lambda: len(files_in(tmp_path)) <= 1)  # The one being written.
