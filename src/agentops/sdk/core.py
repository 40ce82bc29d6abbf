"""The core of a session: what the SDK itself holds of it while it is active.

The user holds a `Session` (session.py), which points here; the core points back only weakly, so that the
SDK can tell whether anybody outside of it can still end the session.
"""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from agentops import semconv
from agentops.clock import monotonic
from agentops.otlp import encode

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

    from agentops.sdk.recorder import Recorder
    from agentops.sdk.requests import Request
    from agentops.sdk.session import Session
    from agentops.sdk.spans import RecordedSpan


class Core:
    """One session, as long as this process contributes to it.

    `root` is the session's span; None for a session met through a remote context, whose root is another
    process's. `inherited` sessions were started elsewhere (another process, or before a fork): they are
    left, not ended.
    """

    __slots__ = (
        "__weakref__",
        "agents",
        "concluded",
        "cost",
        "counts",
        "end_ns",
        "end_reason",
        "end_state",
        "handle",
        "heartbeat_at",
        "host_env",
        "inherited",
        "keep",
        "line_head",
        "lock",
        "name",
        "open",
        "recorder",
        "remote",
        "request",
        "root",
        "running",
        "sent",
        "session_id",
        "start_ns",
        "tags",
        "text",
        "trace_header",
        "trace_id",
        "trace_state",
        "unheld_since",
        "video",
    )

    def __init__(
        self,
        recorder: Recorder,
        trace_id: int,
        *,
        name: str,
        tags: list[str],
        trace_state: Any,
        inherited: bool = False,
        keep: bool = False,
        remote: SpanContext | None = None,
    ) -> None:
        self.recorder = recorder
        self.trace_id = trace_id
        self.session_id = UUID(int=trace_id)
        self.text = str(self.session_id)
        self.name = name
        self.tags = tags
        self.trace_state = trace_state
        self.trace_header: str = trace_state.to_header()
        self.line_head = encode.line_head(trace_id, self.trace_header)
        """How the lines of most of its events begin."""
        self.inherited = inherited
        self.keep = keep
        """The session that init() started: the SDK itself keeps it alive."""
        self.remote = remote
        self.request: Request | None = None
        """The web request that it was begun in."""
        self.root: RecordedSpan | None = None
        self.running = True
        self.concluded = False
        """Its end is written because the process ends; what still runs may go on in it."""
        self.start_ns = 0
        self.end_ns = 0
        self.end_state: str | None = None
        self.end_reason: str | None = None
        self.video: str | None = None
        self.host_env: dict[str, Any] = {}
        self.sent = 0
        """The highest event number given in this process."""
        self.open: dict[int, RecordedSpan] = {}
        self.counts: Counter[str] = Counter()
        self.cost = Decimal(0)
        """Costs reported in this process, US dollars."""
        self.agents: dict[str, str] = {}
        """Names of agents by id."""
        self.handle: weakref.ref[Session] | None = None
        self.unheld_since = 0.0
        self.heartbeat_at = 0.0
        # Reentrant: a signal may end the session in the middle of any of its own methods.
        self.lock = threading.RLock()

    def number(self) -> int:
        """Return the next event number of the session in this process."""
        with self.lock:
            self.sent += 1
            return self.sent

    def held(self) -> bool:
        """Say whether anything outside the SDK (the program, a bound context) refers to the session."""
        return self.handle is not None and self.handle() is not None

    def let_go(self, _reference: object = None) -> None:
        """Note the moment at which the last outside reference went away."""
        self.unheld_since = monotonic()

    def belongs_to_child(self) -> None:
        """Make the session, in a forked child, one that this process contributes to and may not end."""
        self.lock = threading.RLock()
        self.inherited = True
        self.keep = True
        self.sent = 0
        for span in self.open.values():
            span.orphaned = True
        if self.root is not None:
            self.root.orphaned = True
        self.open = {}

    def root_attributes(self) -> dict[str, Any]:
        """Return what every record of the root span says about the session now."""
        return {
            semconv.SESSION_ID: self.text,
            semconv.SPAN_KIND: semconv.SESSION_KIND,
            semconv.TAGS: list(self.tags),
        }
