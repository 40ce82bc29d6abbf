"""Any interleaving of append, rotate, crash, ship, acknowledge and restart keeps the invariants."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agentops.journal import Journal, Segment
from agentops.journal.folder import count_lines, pending_start, segments
from agentops.journal.losses import Losses
from agentops.journal.segment import CURSOR_SUFFIX
from agentops.shipper import ACCEPTED, Outcome
from agentops.shipper.delivery import deliver_next
from tests.unit.journal.records import Inbox, crash, drained, journal_in, log_record, record

PROCESSES = 2
LATER = Outcome("later", "busy")


class ShipperDied(Exception):
    """The process died after the server had accepted a request and before the cursor was moved."""


class DyingInbox(Inbox):
    def __call__(self, signal: str, body: bytes) -> Outcome:  # pyright: ignore[reportIncompatibleMethodOverride] -- wider
        super().__call__("logs" if signal == "logs" else "traces", body)
        raise ShipperDied


class JournalMachine(RuleBasedStateMachine):
    """Some processes of one home, each with its journal, and one server that remembers what it accepted."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="journal-machine-"))
        self.journals = [self.new_journal() for _ in range(PROCESSES)]
        self.appended: set[int] = set()
        self.delivered: set[int] = set()
        self.torn = 0
        self.lost: dict[str, int] = {}
        self.next_number = 0

    def new_journal(self) -> Journal:
        return journal_in(self.folder, segment_bytes=600)

    def collect(self, inbox: Inbox) -> None:
        self.delivered.update(inbox.numbers)

    def add_lost(self, lost: dict[str, int]) -> None:
        for reason, records in lost.items():
            self.lost[reason] = self.lost.get(reason, 0) + records

    def kill(self, process: int) -> Path | None:
        path = crash(self.journals[process])
        self.add_lost(self.journals[process].stats().lost)
        self.journals[process] = self.new_journal()
        return path

    processes = st.integers(0, PROCESSES - 1)

    @rule(process=processes, count=st.integers(1, 6), padding=st.integers(0, 300), log=st.booleans())
    def append(self, process: int, count: int, padding: int, log: bool) -> None:
        for _ in range(count):
            number = self.next_number
            self.next_number += 1
            self.journals[process].append(log_record(number) if log else record(number, padding))
            self.appended.add(number)

    @rule(process=processes)
    def rotate(self, process: int) -> None:
        self.journals[process].rotate()

    @rule(process=processes)
    def close_and_restart(self, process: int) -> None:
        self.journals[process].close()
        self.add_lost(self.journals[process].stats().lost)
        self.journals[process] = self.new_journal()

    @rule(process=processes, cut=st.integers(0, 60))
    def crash_in_a_write(self, process: int, cut: int) -> None:
        path = self.kill(process)
        if path is not None and cut and path.exists():
            with path.open("ab") as file:
                file.write(record(10**9)[:cut])
            self.torn += 1

    @rule(process=processes, chunk=st.integers(1, 900), answers=st.lists(st.booleans(), max_size=3))
    def ship_own(self, process: int, chunk: int, answers: list[bool]) -> None:
        inbox = Inbox()
        inbox.answers = [ACCEPTED if answer else LATER for answer in answers]
        journal = self.journals[process]
        segment = journal.borrow()
        if segment is not None:
            deliver_next(segment, inbox, journal.losses, chunk)
            journal.give_back(segment)
        self.collect(inbox)

    @rule(process=processes, chunk=st.integers(1, 900))
    def ship_own_and_die(self, process: int, chunk: int) -> None:
        inbox = DyingInbox()
        segment = self.journals[process].borrow()
        if segment is not None:
            try:
                deliver_next(segment, inbox, Losses(), chunk)
            except ShipperDied:
                pass
        self.collect(inbox)
        self.kill(process)

    @rule(process=processes, chunk=st.integers(1, 900), answers=st.lists(st.booleans(), max_size=8))
    def rotate_while_shipping(self, process: int, chunk: int, answers: list[bool]) -> None:
        inbox = Inbox()
        inbox.answers = [ACCEPTED if answer else LATER for answer in answers]
        journal = self.journals[process]
        segment = journal.borrow()
        if segment is None:
            return
        journal.rotate()
        assert Segment.claim(segment.path) is None, "somebody else got it while it was being shipped"
        deliver_next(segment, inbox, journal.losses, chunk)
        journal.give_back(segment)
        self.collect(inbox)

    @rule(chunk=st.integers(1, 900), answers=st.lists(st.booleans(), max_size=8))
    def drain_orphans(self, chunk: int, answers: list[bool]) -> None:
        inbox = Inbox()
        inbox.answers = [ACCEPTED if answer else LATER for answer in answers]
        _, result = drained(self.folder, inbox, chunk_bytes=chunk)
        self.add_lost(result.lost)
        self.collect(inbox)

    @precondition(lambda self: any(self.folder.glob("*" + CURSOR_SUFFIX)))
    @rule(choice=st.integers(0, 100), text=st.sampled_from([b"", b"7", b"\0" * 21, b"%020d\n" % 10**12]))
    def damage_a_cursor(self, choice: int, text: bytes) -> None:
        paths = sorted(self.folder.glob("*" + CURSOR_SUFFIX))
        paths[choice % len(paths)].write_bytes(text)

    @invariant()
    def whatever_is_not_delivered_is_on_disk(self) -> None:
        waiting = sum(count_lines(path, pending_start(path)) for path in segments(self.folder))
        assert waiting >= len(self.appended - self.delivered)

    @invariant()
    def nothing_is_delivered_that_was_not_appended(self) -> None:
        assert self.delivered <= self.appended

    def teardown(self) -> None:
        for process in range(PROCESSES):
            self.kill(process)
        numbers, result = drained(self.folder)
        self.add_lost(result.lost)
        self.delivered.update(numbers)
        try:
            assert self.delivered == self.appended
            assert self.lost == ({"torn": self.torn} if self.torn else {})
            assert segments(self.folder) == []
            assert list(self.folder.glob("*" + CURSOR_SUFFIX)) == []
        finally:
            shutil.rmtree(self.folder)


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
