"""The summariser: keeps session rows true while spans arrive.

After each commit it takes the traces that were touched, completes their facts from the store where they were
seen before, divides them among sessions, and rewrites the rows of these sessions. It runs behind the
acknowledgement, on a thread of its own, one pass for all that came in meanwhile; a reader who wants its own
writes waits for `caught_up`. What it knows can be thrown away at any time: everything is recomputed from the
spans.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from agentops.errors import StoreError
from agentops.server.store.client import Store
from agentops.server.store.complete import any_content, complete
from agentops.server.store.facts import Fact, TraceKey
from agentops.server.store.failing import Failing, Passed, Work
from agentops.server.store.known import Known, SessionKey
from agentops.server.store.marks import changes
from agentops.server.store.measures import MOST_MEASURED, Measures, stored
from agentops.server.store.moved import drop_moved
from agentops.server.store.others import Others
from agentops.server.store.part import Part
from agentops.server.store.said import by_project, edits_of, gone_of
from agentops.server.store.session import NEVER, Edit, Silence, encoded, session_row
from agentops.server.store.settled import Settled
from agentops.server.store.shares import Gone, Shares, counted_elsewhere, doubled, part_row, shares

_log: Final = logging.getLogger("agentops.server")
_RETRY_SECONDS: Final = 1.0
_HELD_LOOK_S: Final = 0.05
_APART_S: Final = 0.1
_MOST_PAUSE_S: Final = 0.2
"""Between two passes while spans pour in: each then serves many commits, and a notice is still quick."""
_UNSEEN_PAUSE_S: Final = 1.0
"""The same while nobody looks: half of what a pass costs, it costs for a thousand sessions as for one."""
_READ_LATELY_S: Final = 2.0
_PACED_FACTS: Final = 10_000
"""A trace with more spans is recomputed less often than it is touched: a third of the time at most."""
_NONE: Final[Mapping[SessionKey, Measures]] = {}


class Summariser:
    """The one thread that writes sessions, session_traces and the marks of spans."""

    def __init__(
        self,
        store: Store,
        silence: Silence,
        on_change: Callable[[str, list[str]], None],
        listened: Callable[[], bool] = lambda: True,
    ) -> None:
        """Open its client; `start` begins the work.

        Args:
            store: where spans are read and session rows are written.
            silence: after which a session counts as ended.
            on_change: told which sessions of a project have other rows now.
            listened: whether anybody waits for `on_change`.
        """
        self._store = store
        self._silence = silence
        self._on_change = on_change
        # Readers of another server look into the tables, and nobody here can tell when.
        self._listened = listened if store.url.embedded else lambda: True
        self._read_at = -_READ_LATELY_S
        self._client = store.connect()
        # Its batches are small, and the ingest has the other core.
        for setting in ("max_threads", "max_insert_threads"):
            self._client.set_client_setting(setting, "1")
        self._wake = threading.Condition()
        self._pending: dict[TraceKey, list[Fact]] = {}
        self._held: dict[TraceKey, float] = {}
        self._failing = Failing()
        self._submitted = 0
        self._covered = 0
        self._readers = 0
        self._stopping = False
        self._known = Known(store)
        self._content = False
        self._any_edits = self._any_gone = True
        self._rest_until = self._unseen_until = 0.0
        # Other servers may write the same sessions: what stood when this pass read it, and above which
        # version its rows must be.
        self._others = None if store.url.embedded else Others(store)
        self._standing: dict[SessionKey, int] = {}
        self._belongs: dict[TraceKey, set[SessionKey]] = {}
        self._version = self._floor = 0
        self._settled = Settled(store)
        self._turn = threading.Lock()
        self._first_lapse = NEVER
        self._thread = threading.Thread(target=self._run, name="agentops-summariser", daemon=True)
        self.passes = 0
        self.failures = 0

    def start(self) -> None:
        """Start the thread; spans that a crash left without a summary are taken up first."""
        self._thread.start()

    def submit(self, touched: Work, content: bool = False) -> None:
        """Take the facts of committed spans. Costs next to nothing; call it before acknowledging them.

        Args:
            touched: facts by trace; without any for a trace whose logs changed.
            content: whether among these logs is content that completes spans.
        """
        with self._wake:
            self._settled.written()
            self._content = self._content or content
            for key, facts in touched.items():
                self._pending.setdefault(key, []).extend(facts)
            self._submitted += 1
            self._wake.notify_all()

    def caught_up(self, timeout_s: float) -> bool:
        """Wait until all that was submitted before is in the session rows; False when that takes longer."""
        with self._wake:
            self._read_at = time.monotonic()
            target = self._submitted
            if self._covered >= target:
                return True
            self._readers += 1
            self._wake.notify_all()
            try:
                return self._wake.wait_for(lambda: self._covered >= target or self._stopping, timeout_s)
            finally:
                self._readers -= 1

    def first_lapse(self) -> int:
        """Return when the first running session lapses of those written since this was asked last."""
        with self._wake:
            first, self._first_lapse = self._first_lapse, NEVER
        return first

    @property
    def backlog(self) -> int:
        """Traces that wait for a pass."""
        with self._wake:
            return len(self._pending)

    def stop(self, timeout_s: float) -> None:
        """Finish what was submitted, then end the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def edit(self, said: Callable[[], Sequence[Edit]], remove: Callable[[], None] | None = None) -> None:
        """Store what a user said about sessions of a project and rewrite their rows at once.

        Args:
            said: gives it, from what was said before: one at a time, so that no edit undoes another.
            remove: for a deletion: removes the session's spans, between the two.
        """
        with self._turn:
            changes = said()
            if not changes:
                return
            self._any_edits = True
            self._any_gone = self._any_gone or any(one.gone for one in changes)
            self._store.insert("edits", [msgspec.json.encode(one) for one in changes], self._client)
            work: dict[TraceKey, list[Fact]] = {}
            if remove is not None:
                remove()
                work = {(one.project, trace_id): [] for one in changes for trace_id in one.gone}
                for key in work:
                    self._known.forget_trace(key)
                self._pass(work)
            else:
                keys = {(one.project, one.session_id) for one in changes}
                self._write_sessions(keys, self._next_version())
                if self._others is not None:
                    # Another server may be about to write what it read before the edit: its row is looked at.
                    work = {(key[0], one): [] for key in keys for one in self._known.sessions.get(key, {})}
                    for key in keys:
                        self._known.forget_session(key)
        if self._others is not None and work:
            self.submit(work)
        self._on_change(changes[0].project, [one.session_id for one in changes])

    def drop(self, project: str, sessions: list[str], traces: list[str], remove: Callable[[], None]) -> None:
        """Take sessions that are too old off the lists.

        Args:
            project: theirs.
            sessions: their ids.
            traces: their traces' ids.
            remove: removes their spans.
        """
        with self._turn:
            remove()
            work: dict[TraceKey, list[Fact]] = {(project, trace_id): [] for trace_id in traces}
            for key in work:
                self._known.forget_trace(key)
            self._pass(work)
            self._write_sessions({(project, one) for one in sessions}, self._next_version())
            for one in sessions:
                self._known.forget_session((project, one))

    def _run(self) -> None:
        while True:
            try:
                self._recover()
                break
            except Exception:
                self.failures += 1
                _log.exception("Looking for sessions to bring up to date failed; trying again")
                with self._wake:
                    if self._wake.wait_for(lambda: self._stopping, _RETRY_SECONDS):
                        return
        while True:
            with self._wake:
                self._wake.wait_for(
                    lambda: bool(self._pending) or self._stopping or self._covered < self._submitted
                )
                if self._stopping and not self._pending:
                    self._settled.leave()
                    return
                self._pause()
                target = self._submitted
                for key, facts in self._failing.due().items():
                    self._pending[key] = facts + self._pending.get(key, [])
                work, waiting = self._due()
                self._pending = waiting
            if work:
                began = time.monotonic()
                try:
                    changed, again = self._failing.passed(work, self._in_turn)
                except StoreError as error:
                    _log.error("Summarising %d traces failed; trying again: %s", len(work), error)
                    with self._wake:
                        for key, facts in work.items():
                            self._pending[key] = facts + self._pending.get(key, [])
                        if self._wake.wait_for(lambda: self._stopping, _RETRY_SECONDS):
                            return
                    continue
                self.passes += 1
                ended = time.monotonic()
                self._rest_until = ended + min(_MOST_PAUSE_S, 2 * (ended - began))
                self._unseen_until = ended + _UNSEEN_PAUSE_S
                for project, sessions in changed.items():
                    self._on_change(project, sorted(sessions))
                if again:
                    with self._wake:
                        for key in again:
                            self._pending.setdefault(key, [])
                        # Two servers that both compute anew must not go on doing so in step.
                        self._wake.wait_for(lambda: self._stopping, random.uniform(0, _APART_S))  # noqa: S311 -- no secret
                    continue
            with self._wake:
                if not waiting:
                    self._covered = max(self._covered, target)
                    self._wake.notify_all()
                elif not work:
                    # Only large traces are left, none is due yet, and nobody asks.
                    self._wake.wait_for(lambda: self._stopping or self._readers > 0, _HELD_LOOK_S)

    def _pause(self) -> None:
        """Wait between two passes, longer while nobody looks; who reads or stops is not kept waiting."""
        self._wake.wait_for(self._awaited, max(0.0, self._rest_until - time.monotonic()))
        self._wake.wait_for(
            lambda: self._awaited() or self._looked_at(), max(0.0, self._unseen_until - time.monotonic())
        )

    def _awaited(self) -> bool:
        return self._stopping or self._readers > 0

    def _looked_at(self) -> bool:
        return self._listened() or time.monotonic() - self._read_at < _READ_LATELY_S

    def _due(self) -> tuple[dict[TraceKey, list[Fact]], dict[TraceKey, list[Fact]]]:
        """Divide what is pending into what is summarised now and what waits its turn."""
        if self._stopping or self._readers or not self._held:
            return self._pending, {}
        now = time.monotonic()
        self._held = {key: until for key, until in self._held.items() if until > now}
        waiting = {key: facts for key, facts in self._pending.items() if key in self._held}
        return {key: facts for key, facts in self._pending.items() if key not in waiting}, waiting

    def _recover(self) -> None:
        """Take up traces whose spans may be newer than their session's row: a crash came between the two."""
        if any_content(self._store):
            self._content = True
        if self._store.url.embedded:
            # No other server writes here: what is not there now is there when this one has put it there.
            with self._turn:
                self._any_edits = bool(self._store.answer("SELECT 1 FROM edits LIMIT 1"))
                self._any_gone = bool(self._store.answer("SELECT 1 FROM edits WHERE notEmpty(gone) LIMIT 1"))
        unsettled = self._settled.unsettled()
        if unsettled:
            with self._wake:
                for key in unsettled:
                    self._pending.setdefault(key, [])
                self._submitted += 1

    def look_again(self) -> None:
        """Take up traces of a cluster that a replica did not have whole when they were summarised."""
        late = self._others.late() if self._others else []
        if late:
            self.submit({key: [] for key in late})

    def _next_version(self) -> int:
        return max(time.time_ns(), self._floor + 1)

    # One pass.

    def _in_turn(self, work: Work) -> Passed:
        with self._turn:
            try:
                return self._settled_pass(work)
            except Exception:
                self.failures += 1
                self._known.forget()
                raise

    def _settled_pass(self, work: Work) -> Passed:
        """Make a pass; return what changed, and the traces that others changed meanwhile (others.py)."""
        others = self._others
        if others is None:
            return self._pass(work), set()
        before = others.traces(work)
        changed = self._pass(work)
        after = others.traces(work)
        again = {key for key in work if after.get(key, 0) != before.get(key, 0)}
        standing = others.sessions(self._standing, work)
        versions = others.versions(self._standing)
        unsettled = {
            key
            for key, sign in self._standing.items()
            if standing[key] != sign or versions.get(key, 0) > self._version
        }
        self._floor = max(self._floor, *versions.values()) if versions else self._floor
        again |= {key for key, sessions in self._belongs.items() if sessions & unsettled}
        others.look_later(after)
        return changed, again

    def _pass(self, work: Work) -> dict[str, set[str]]:
        version = self._version = self._next_version()
        self._known.load_traces([key for key in work if key not in self._known.traces], work)
        if self._content or not self._store.url.embedded:
            for project, ids in by_project(work).items():
                for key, facts in complete(self._store, self._client, project, ids).items():
                    self._known.merge(key, self._known.traces[key], facts)
        divided = self._divided(work)
        part_rows: list[bytes] = []
        mark_rows: dict[str, list[bytes]] = {}
        fresh: dict[SessionKey, dict[str, Part | None]] = {}
        for key, found in divided.items():
            project, trace_id = key
            trace = self._known.traces[key]
            for session_id, one in found.parts.items():
                fresh.setdefault((project, session_id), {})[trace_id] = one
            for session_id in trace.sessions - found.parts.keys():
                fresh.setdefault((project, session_id), {})[trace_id] = None
            for table, rows in changes(project, trace_id, trace.marks, found.marks, version).items():
                mark_rows.setdefault(table, []).extend(rows)
            trace.marks = found.marks
            trace.sessions = set(found.parts)
        measured: dict[SessionKey, Measures] = {}
        for session, parts in fresh.items():
            self._known.keep(session, parts)
            project, session_id = session
            for trace_id, one in self._known.together(session, parts).items():
                found = divided[project, trace_id]
                of_it = found.measured.get(session_id)
                if one is not None and of_it is not None and not one.apart:
                    measured[session] = of_it
                part_rows.append(part_row(project, session_id, trace_id, found.whole, one, version, of_it))
        drop_moved(self._store, self._known.moved)
        for table, rows in mark_rows.items():
            self._store.insert(table, rows, self._client)
        self._store.insert("session_traces", part_rows, self._client)
        self._write_sessions(set(fresh), version, measured)
        self._known.shrink()
        changed: dict[str, set[str]] = {}
        for project, session_id in fresh:
            changed.setdefault(project, set()).add(session_id)
        return changed

    def _divided(self, work: Work) -> dict[TraceKey, Shares]:
        """Divide the traces among sessions, and count a call that two traces of a session record once."""
        gone = gone_of(self._store, work) if self._any_gone else {}
        divided: dict[TraceKey, Shares] = {}
        for key, facts in work.items():
            began = time.monotonic()
            trace = self._known.traces[key]
            self._known.merge(key, trace, facts)
            divided[key] = shares(key[1], trace.facts, gone.get(key[0], {}))
            if len(trace.facts) > _PACED_FACTS:
                self._held[key] = time.monotonic() + 2 * (time.monotonic() - began)
        changed: dict[SessionKey, dict[str, Part | None]] = {}
        self._note(divided, changed)
        if self._others is not None:
            # What the rest of these sessions is now; _settled_pass compares when it has written.
            self._standing = self._others.sessions(changed, work)
            self._belongs = {key: {one for one, now in changed.items() if key[1] in now} for key in work}
        self._known.load_sessions([key for key in changed if key not in self._known.sessions])
        self._join(divided, changed, gone)
        elsewhere: dict[TraceKey, set[str]] = {}
        for (project, session_id), now in changed.items():
            doubtful = doubled(self._known.sessions[project, session_id], now)
            if not doubtful:
                continue
            others = [(project, trace_id) for trace_id in doubtful if (project, trace_id) not in divided]
            divided |= self._divided_beside(others, gone)
            calls = [
                (trace_id, call)
                for trace_id in sorted(doubtful)
                for call in divided[project, trace_id].calls.get(session_id, ())
            ]
            for trace_id, spans in counted_elsewhere(calls).items():
                elsewhere.setdefault((project, trace_id), set()).update(spans)
        for key, spans in elsewhere.items():
            divided[key] = shares(key[1], self._known.traces[key].facts, gone.get(key[0], {}), spans)
        return divided

    def _note(
        self, divided: Mapping[TraceKey, Shares], changed: dict[SessionKey, dict[str, Part | None]]
    ) -> None:
        """Note what the traces contribute now to each session that they have, or had, a share in."""
        for (project, trace_id), found in divided.items():
            for session_id in self._known.traces[project, trace_id].sessions | found.parts.keys():
                now = changed.setdefault((project, session_id), {})
                now[trace_id] = found.parts.get(session_id)

    def _join(
        self,
        divided: dict[TraceKey, Shares],
        changed: dict[SessionKey, dict[str, Part | None]],
        gone: dict[str, dict[str, Gone]],
    ) -> None:
        """Add traces that were alone in their session: their measures move from its row to theirs."""
        while missing := {
            (project, trace_id)
            for (project, session_id), now in changed.items()
            if any(now.values()) and len(before := self._known.sessions[project, session_id]) == 1
            for trace_id, one in before.items()
            if trace_id not in now and not one.apart and one.events <= MOST_MEASURED
        }:
            more = self._divided_beside(missing, gone)
            divided |= more
            self._note(more, changed)
            self._known.load_sessions([key for key in changed if key not in self._known.sessions])

    def _divided_beside(
        self, keys: Collection[TraceKey], gone: dict[str, dict[str, Gone]]
    ) -> dict[TraceKey, Shares]:
        """Divide traces that are not a pass's work, and add the deletions that concern them."""
        self._known.load_traces(
            [key for key in keys if key not in self._known.traces], {key: list[Fact]() for key in keys}
        )
        if self._any_gone:
            for project, sessions in gone_of(self._store, keys).items():
                gone.setdefault(project, {}).update(sessions)
        return {key: shares(key[1], self._known.traces[key].facts, gone.get(key[0], {})) for key in keys}

    def _kept_measures(self, keys: Iterable[SessionKey]) -> dict[SessionKey, Measures]:
        """Return the measures in the rows of sessions whose one trace is not looked at now."""
        wanted = [
            key
            for key in keys
            if len(parts := self._known.sessions[key]) == 1
            for one in parts.values()
            if not one.apart and one.events <= MOST_MEASURED
        ]
        return {
            (project, session_id): one
            for project, ids in by_project(wanted).items()
            for session_id, one in stored(self._store, project, ids).items()
        }

    def _write_sessions(
        self, touched: set[SessionKey], version: int, measured: Mapping[SessionKey, Measures] = _NONE
    ) -> None:
        self._known.load_sessions([key for key in touched if key not in self._known.sessions])
        kept = self._kept_measures(touched - measured.keys())
        edits = edits_of(self._store, touched) if self._any_edits else {}
        rows: list[bytes] = []
        first_lapse = NEVER
        for key in touched:
            project, session_id = key
            row = session_row(
                project, session_id, self._known.sessions[key], edits.get(key), self._silence, version
            )
            first_lapse = min(first_lapse, row.lapses_at or NEVER)
            rows.append(encoded(row, measured.get(key) or kept.get(key)))
            self._known.sessions.move_to_end(key)
        self._store.insert("sessions", rows, self._client)
        with self._wake:
            self._first_lapse = min(self._first_lapse, first_lapse)
