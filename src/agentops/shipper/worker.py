"""The shipper's thread: wakes when records wait, sends them, sleeps.

Pace: the first record after a quiet time goes out after `LINGER_S`; while records keep coming, a request goes
out four times per `max_delay_ms`, or as soon as `max_records` wait. After a failure the journal holds
everything until the backoff is over. Each round takes a chunk of the segment being written, of the memory,
and of the backlog in turn, so that an old backlog does not keep the present waiting.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agentops.clock import monotonic
from agentops.journal import Journal, Mark, fork
from agentops.shipper.backoff import HELD_S, LONGEST_S, LONGEST_UNREACHABLE_S, Backoff
from agentops.shipper.http import Client
from agentops.shipper.outcome import Outcome
from agentops.shipper.shipment import Shipment
from agentops.shipper.target import HttpSend, Target

log = logging.getLogger("agentops.shipper")

LINGER_S: Final = 0.02
"""How long the first record waits for company."""
FLUSH_RETRY_S: Final = 0.5
MAIN_LOOK_S: Final = 0.2
"""In a child that a thread has forked: how often to look whether that thread has ended."""
CHANGE_LOOK_S: Final = 1.0
"""While a server takes nothing: how often to look whether the program has changed its key or address."""
FAILURES_TOLD: Final = 4
"""In a row, some seconds together: a server that is restarted, or busy for a moment, is not worth a word."""
_NEVER: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class ShipperStats:
    """What one process's shipper did so far.

    Attributes:
        records: Records that left the journal through it.
        requests: Requests it made, failed ones included.
        failures: Requests that were not accepted.
        last_failure: Why, in words; empty after a success.
    """

    records: int = 0
    requests: int = 0
    failures: int = 0
    last_failure: str = ""


class Shipper:
    """Ships a journal from one daemon thread, started by the first record; survives forks; never raises.

    Args:
        journal: What to ship; its `on_append` is set to `notify` if it is None.
        target: Called for each request.
        max_delay_ms: Longest time a record waits while the server answers.
        max_records: Records after which a request is made without waiting.
        tick: Called when the thread wakes; returns in how many seconds it wants to be called again, or None.
    """

    def __init__(
        self,
        journal: Journal,
        target: Callable[[], Target],
        *,
        max_delay_ms: int,
        max_records: int,
        tick: Callable[[], float | None] | None = None,
    ) -> None:
        self._journal = journal
        self._client = Client()
        self._send = HttpSend(self._client, target)
        self._max_delay_s = max_delay_ms / 1000
        self._max_records = max(1, max_records)
        self._tick = tick
        self._main_is_thread = self._forked_by_thread = False
        self._reset()
        if journal.on_append is None:
            journal.on_append = self.notify
        fork.watch(self)

    def _reset(self) -> None:
        self._thread: threading.Thread | None = None
        self._start_again_at = 0.0
        self._closed = False
        self._pending = 0
        self._wake_at = 1
        self._make_waiting()
        self._shipment = Shipment(self._journal, self._send)
        self._flushers = 0
        self._attempt = 0
        self._given_up = 0
        self._backoff = Backoff()
        self._retry_at = 0.0
        self._held = False
        self._not_before = 0.0
        self._last_failure = ""
        self._next_tick = 0.0
        self._said: set[str] = set()

    def _make_waiting(self) -> None:
        # A SimpleQueue, because its put may be interrupted by a signal whose code puts too; an Event would
        # lock up.
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._progress = threading.Condition()
        self._shipping = threading.Lock()

    # The recording threads' side.

    def set_pace(self, max_delay_ms: int, max_records: int) -> None:
        """Change how long records wait for company, and for how many, from the next round on."""
        self._max_delay_s = max_delay_ms / 1000
        self._max_records = max(1, max_records)

    def notify(self) -> None:
        """Say that a record was appended."""
        self._pending += 1
        if self._pending >= self._wake_at:
            self._wake_at = _NEVER
            self._wake()

    def _wake(self) -> bool:
        """Wake the thread, starting it if need be. Returns whether there is one."""
        if self._thread is None and not self._start():
            return False
        self._wakes.put(None)
        return True

    def _start(self) -> bool:
        if self._closed or monotonic() < self._start_again_at:
            self._wake_at = self._pending + 1
            return False
        if type(self._wakes) is not queue.SimpleQueue:
            # gevent has come meanwhile (a worker of gunicorn, say): the thread will be one of its own, and
            # would stop all others if it waited for the interpreter's.
            self._make_waiting()
        thread = threading.Thread(target=self._run, name="agentops-shipper", daemon=True)
        self._thread = thread
        try:
            thread.start()
        except RuntimeError:
            # The interpreter is ending, or the system has no more threads: the journal keeps the records
            # meanwhile.
            self._thread = None
            self._start_again_at = monotonic() + 1.0
            self._wake_at = self._pending + 1
            return False
        return True

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything appended before this call has been acknowledged. Returns whether it was.

        Returns early, with False, when nothing listens at the server's address.
        """
        try:
            deadline = monotonic() + timeout_s
            mark = self._journal.mark()
            if self._journal.reached(mark):
                return True
            if self._closed or threading.current_thread() is self._thread or not self._wake():
                return self._flush_here(mark, deadline)
            return self._wait_for(mark, deadline)
        except Exception:
            log.debug("flush failed", exc_info=True)
            return False

    def close(self, timeout_s: float) -> bool:
        """Flush, then stop the thread; what is not acknowledged by then stays in the journal.

        Returns:
            Whether everything was acknowledged.
        """
        deadline = monotonic() + timeout_s
        self._shipment.newest_first = True
        done = self.flush(timeout_s)
        self._closed = True
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            self._wakes.put(None)
            if done:
                # It only has to give the segment back, so that the journal can delete it.
                thread.join(max(0.0, min(0.5, deadline - monotonic())))
        self._journal.save_losses()
        return done

    def stats(self) -> ShipperStats:
        """Return what this shipper did so far."""
        done = self._shipment
        return ShipperStats(done.records, done.requests, done.failures, self._last_failure)

    def _wait_for(self, mark: Mark, deadline: float) -> bool:
        with self._progress:
            # What fails from here on counts, not what was under way before.
            attempts = self._attempt
            self._flushers += 1
            try:
                self._wakes.put(None)
                while not self._journal.reached(mark):
                    remaining_s = deadline - monotonic()
                    if remaining_s <= 0 or self._given_up > attempts or self._not_before > deadline:
                        return False
                    # Looked at now and then by itself: another process may be shipping one of our segments.
                    self._progress.wait(min(remaining_s, 0.2))
                return True
            finally:
                self._flushers -= 1

    def _flush_here(self, mark: Mark, deadline: float) -> bool:
        """Ship on the calling thread, as at the end of the interpreter, when no thread can be started."""
        before = self._send.timeout_s
        while not self._journal.reached(mark):
            remaining_s = deadline - monotonic()
            if remaining_s <= 0 or not self._shipping.acquire(timeout=remaining_s):
                return False
            try:
                self._send.timeout_s = min(before, remaining_s)
                outcome = self._shipment.next_chunk()
            finally:
                self._send.timeout_s = before
                self._shipping.release()
            if outcome is None or outcome.verdict != "accepted":
                return self._journal.reached(mark)
        return True

    # The thread's side.

    def _run(self) -> None:
        try:
            while not self._closed and not self._is_last():
                self._sleep(self._round())
        except Exception:
            # A mistake of ours may end the shipping, never the program; the next record starts a new thread.
            self._journal.losses.note("bug")
            log.debug("the shipper stopped", exc_info=True)
            self._start_again_at = monotonic() + 5.0
        finally:
            self._client.close()
            if self._thread is threading.current_thread():
                self._thread = None
                self._wake_at = self._pending + 1

    def _is_last(self) -> bool:
        """Return whether every other thread has ended: then this one keeps a process from ending.

        That is so only where a thread has forked: it is the main thread of the child, which ends with it,
        past the end of the interpreter. What has not been shipped is an orphan then.
        """
        return self._main_is_thread and threading.enumerate() == [threading.current_thread()]

    def _round(self) -> float:
        """Do all that is due; return the seconds until something is due again."""
        self._call_tick()
        now = monotonic()
        if self._held and self._send.changed():
            self._retry_at = now
        if now >= self._retry_at or (self._flushers and now >= self._not_before):
            with self._shipping:
                self._ship_all()
            self._journal.save_losses()
        with self._progress:
            self._progress.notify_all()
        now = monotonic()
        due = [self._next_tick, max(self._shipment.next_scan, self._retry_at)]
        if self._retry_at > now:
            due.append(min(self._retry_at, now + CHANGE_LOOK_S) if self._held else self._retry_at)
        if self._flushers:
            due.append(max(self._not_before, now + (FLUSH_RETRY_S if self._retry_at > now else 0.05)))
        return max(0.0, min(due) - now)

    def _ship_all(self) -> None:
        """Ship until what was pending at the beginning is gone, or a request fails."""
        self._pending = 0
        self._attempt += 1
        while not self._closed or self._flushers:
            outcome = self._shipment.next_chunk()
            if outcome is not None and outcome.verdict != "accepted":
                self._failed(outcome)
                return
            self._backoff.succeeded()
            self._last_failure = ""
            self._held = False
            self._retry_at = self._not_before = 0.0
            with self._progress:
                self._progress.notify_all()
            # Records that came meanwhile wait for the next round: a request for each few would cost more.
            if outcome is None or not (self._shipment.more or self._flushers):
                return

    def _failed(self, outcome: Outcome) -> None:
        self._last_failure = outcome.reason
        self._held = outcome.verdict == "held"
        if self._held:
            delay_s = HELD_S
            fix = (
                "Set AGENTOPS_API_KEY (or api_key=) to a key of this server"
                if outcome.key_refused
                else "Check the endpoint"
            )
            self._say_once(
                "held",
                f"The server takes no records ({outcome.reason}). They wait in {self._journal.whereabouts}, "
                f"and are sent when it does. {fix}.",
            )
        else:
            longest_s = LONGEST_UNREACHABLE_S if outcome.unreachable else LONGEST_S
            wish = outcome.retry_after_s
            wish_s = None if wish is None else self._backoff.spread(wish)
            delay_s = self._backoff.failed(wish_s, longest_s)
            if wish_s is not None:
                self._not_before = monotonic() + wish_s
            if not outcome.unreachable and self._backoff.failures >= FAILURES_TOLD:
                self._say_once(
                    "failing",
                    f"The server takes no records at present ({outcome.reason}). They wait in "
                    f"{self._journal.whereabouts} and are sent when it does; `agentops doctor` looks why.",
                )
            if outcome.unreachable:
                fix = (
                    "`agentops serve` starts one on this machine"
                    if self._send.is_local()
                    else "check the address, the network and the proxy settings"
                )
                self._say_once(
                    "unreachable",
                    f"No server answers ({outcome.reason}). Records wait in {self._journal.whereabouts} and "
                    f"are sent when it does; {fix}.",
                )
        self._retry_at = monotonic() + delay_s
        if outcome.unreachable or outcome.verdict == "held":
            with self._progress:
                self._given_up = self._attempt
                self._progress.notify_all()

    def _say_once(self, topic: str, message: str) -> None:
        if topic not in self._said:
            self._said.add(topic)
            log.warning("%s", message)

    def _call_tick(self) -> None:
        if self._tick is None:
            self._next_tick = monotonic() + 3600.0
            return
        try:
            wanted_s = self._tick()
        except Exception:
            log.debug("tick failed", exc_info=True)
            wanted_s = 10.0
        self._next_tick = monotonic() + (3600.0 if wanted_s is None else max(0.01, wanted_s))

    def _sleep(self, wait_s: float) -> None:
        """Wait until something is due, a record waits, a flush is asked for, or `close`."""
        now = monotonic()
        if self._retry_at <= now and not self._flushers:
            self._wake_at = 1
            if self._pending >= 1:
                wait_s = 0.0
        if wait_s > 0.0:
            self._wait(wait_s)
        self._wake_at = _NEVER
        now = monotonic()
        if self._pending and self._retry_at <= now and not self._flushers and not self._closed:
            # Let more come, but not for long.
            gap_s = max(LINGER_S, self._shipment.last_sent + self._max_delay_s / 4 - now)
            linger_s = min(gap_s, self._max_delay_s)
            self._wake_at = self._max_records
            if self._pending < self._max_records and linger_s > 0.0:
                self._wait(linger_s)
            self._wake_at = _NEVER

    def _wait(self, seconds: float) -> None:
        try:
            self._wakes.get(timeout=min(seconds, MAIN_LOOK_S if self._main_is_thread else 3600.0))
            while True:
                self._wakes.get_nowait()
        except queue.Empty:
            pass

    # Forks.

    def before_fork(self) -> None:
        """Note who forks. There is nothing to bring to rest: the thread's state is not the child's."""
        self._forked_by_thread = threading.current_thread() is not threading.main_thread()

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Be as new: the thread starts with the child's first record."""
        self._main_is_thread = self._main_is_thread or self._forked_by_thread
        self._reset()
