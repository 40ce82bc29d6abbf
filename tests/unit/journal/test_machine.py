"""Any interleaving of append, rotate, crash, fork, full disk, shipping and restart keeps the invariants."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import warnings
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agentops.journal import Journal, Segment
from agentops.journal.folder import count_lines, fallback_folder, pending_start, segments
from agentops.journal.losses import Losses
from agentops.journal.segment import CURSOR_SUFFIX
from agentops.shipper import ACCEPTED, Outcome
from agentops.shipper.delivery import deliver_next
from tests.unit.journal.records import Inbox, crash, drained, journal_in, log_record, numbers_in, record

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
        # Memory is the last resort of a full disk, and dies with its process: no promise holds for it.
        self.appended -= self.in_memory(process) - self.delivered
        self.add_lost(self.journals[process].stats().lost)
        self.journals[process] = self.new_journal()
        return path

    def in_memory(self, process: int) -> set[int]:
        lines, _, _ = self.journals[process].in_memory(1 << 30)
        return {
            number
            for line in lines
            for number in numbers_in(
                b'{"resource%s":[{"scope%s":[%s]}]}'
                % (*([b"Spans", b"Spans"] if b'"spans"' in line[:9] else [b"Logs", b"Logs"]), line)
            )
        }

    def places(self) -> list[Path]:
        return [self.folder, fallback_folder(self.folder)]

    processes = st.integers(0, PROCESSES - 1)

    @rule(process=processes, count=st.integers(1, 6), padding=st.integers(0, 300), log=st.booleans())
    def append(self, process: int, count: int, padding: int, log: bool) -> None:
        for _ in range(count):
            number = self.next_number
            self.next_number += 1
            self.journals[process].append(log_record(number) if log else record(number, padding))
            self.appended.add(number)

    @rule(process=processes, count=st.integers(1, 4), room=st.integers(0, 700), again=st.booleans())
    def append_on_a_full_disk(self, process: int, count: int, room: int, again: bool) -> None:
        """No file grows past `room`: writes at the edge are short, and then there is no room at all."""
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            self.append(process, count, 40, False)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        if again:
            self.journals[process]._places.try_again()  # pyright: ignore[reportPrivateUsage] -- a second passes

    @rule(process=processes, count=st.integers(0, 3), dies=st.booleans())
    def fork(self, process: int, count: int, dies: bool) -> None:
        """A child records, and goes with or without closing; what is the parent's stays the parent's."""
        numbers = range(self.next_number, self.next_number + count)
        with warnings.catch_warnings():
            # A test runner may have threads of its own; none of them is the journal's.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            code = 1
            try:
                for number in numbers:
                    self.journals[process].append(record(number))
                if not dies:
                    self.journals[process].close()
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        self.next_number += count
        self.appended.update(numbers)

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
        waiting = sum(
            count_lines(path, pending_start(path)) for place in self.places() for path in segments(place)
        )
        in_memory = sum(len(self.in_memory(process)) for process in range(PROCESSES))
        assert waiting + in_memory >= len(self.appended - self.delivered)

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
            assert [path for place in self.places() for path in segments(place)] == []
            assert list(self.folder.glob("*" + CURSOR_SUFFIX)) == []
        finally:
            for place in self.places():
                shutil.rmtree(place, ignore_errors=True)


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
