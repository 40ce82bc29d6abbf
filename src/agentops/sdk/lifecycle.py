"""How sessions begin, change and end: the root span and what its records say."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from agentops import semconv
from agentops.ambient import get_current
from agentops.clock import monotonic
from agentops.sdk import hostenv, state
from agentops.sdk.capture import cut, text_of, to_json
from agentops.sdk.context import TRACE_STATE
from agentops.sdk.core import Core
from agentops.sdk.ids import new_span_id, new_trace_id
from agentops.sdk.requests import request_of
from agentops.sdk.settings import word

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

    from agentops.sdk.recorder import Recorder
    from agentops.sdk.registry import Registry
    from agentops.sdk.settings import Settings
    from agentops.sdk.spans import RecordedSpan

logger: Final = logging.getLogger("agentops")
_MAX_REASON: Final = 4096
_MAX_NAME: Final = 1000
_UNNUMBERED: Final = -1
"""The number of a root span, which no process counts as an event."""


def trace_id_of(session_id: Any) -> int:
    """Return the 128 bits of a session id given as UUID or text.

    Raises:
        ValueError: it is not a UUID.
    """
    if isinstance(session_id, UUID):
        return session_id.int
    try:
        number = UUID(str(session_id)).int
    except ValueError:
        raise ValueError(
            f"{session_id!r} is not a session id; it must be a UUID, as text or uuid.UUID"
        ) from None
    if number == 0:
        raise ValueError("a session id cannot be all zeros")
    return number


def _reason(given: Any) -> str | None:
    """Return a reason as text, whatever a program gave: an exception is one too."""
    if given is None or (type(given) is str and not given):
        return None
    # A proxy may fail when it is asked for its class.
    failed = issubclass(type(given), BaseException)
    text = state.reason(cast("BaseException", given)) if failed else text_of(given, _MAX_REASON)
    return cut(text, _MAX_REASON)


class Lifecycle:
    """Starts and ends the sessions of one process."""

    def __init__(self, registry: Registry, recorder: Recorder, settings: Settings, default_name: str) -> None:
        self.registry = registry
        self.recorder = recorder
        self.settings = settings
        self.default_name = default_name
        self.on_root: Callable[[RecordedSpan], None] | None = None
        """Told of every root span, before its first record."""

    def start(
        self,
        *,
        name: str | None,
        tags: list[str],
        inherited_session_id: Any = None,
        keep: bool = False,
        shown_name: str | None = None,
        attributes: dict[str, Any] | None = None,
    ) -> Core:
        """Start a session, or begin to contribute to one that was started elsewhere.

        Args:
            name: a name the user chose.
            tags: the session's, default tags included.
            inherited_session_id: id of a session started elsewhere.
            keep: the SDK itself keeps the session alive.
            shown_name: the root span's name when the user chose none; `trace_name` is for those without.
            attributes: more attributes of the root span.
        """
        from opentelemetry.trace import TraceState

        from agentops.sdk.spans import RecordedSpan

        inherited = inherited_session_id is not None
        trace_id = trace_id_of(inherited_session_id) if inherited else new_trace_id()
        if inherited:
            known = self.registry.active.get(trace_id)
            if known is not None:
                return known
        chosen = cut(word(name), _MAX_NAME) if name else None if shown_name else self.settings.trace_name
        core = Core(
            self.recorder,
            trace_id,
            name=chosen or shown_name or self.default_name,
            tags=tags,
            trace_state=TraceState([(TRACE_STATE, f"{trace_id:032x}")]),
            inherited=inherited,
            keep=keep,
        )
        said = core.root_attributes()
        if attributes:
            said.update(attributes)
        if chosen:
            said[semconv.SESSION_NAME] = chosen
        if inherited:
            said[semconv.INHERITED] = True
        if not self.settings.env_data_opt_out:
            core.host_env = hostenv.host_env()
            said[semconv.HOST_ENV] = to_json(core.host_env, 65_536)
        root = RecordedSpan(core, core.name, said, parent=None, above=None, span_id=new_span_id())
        core.root = root
        core.request = None if inherited else request_of(get_current())
        core.start_ns = root.start_time or time.time_ns()
        core.heartbeat_at = monotonic()
        core.unheld_since = core.heartbeat_at
        for known in self.registry.all():
            if known.concluded:  # The process ends: what begins now is the only one.
                known.running = False
                self.registry.remove(known)
        self.registry.add(core)
        if self.on_root is not None:
            self.on_root(root)
        self.recorder.announce(root)
        return core

    def visit(self, trace_id: int, span: Any) -> Core:
        """Return the session of another process that the remote context of `span` carries."""

        def make() -> Core:
            context: SpanContext = span.get_span_context()
            return Core(
                self.recorder,
                trace_id,
                name=self.default_name,
                tags=[],
                trace_state=context.trace_state,
                inherited=True,
                keep=True,
                remote=context,
            )

        return self.registry.visit(trace_id, make)

    def retag(self, core: Core, tags: list[str]) -> None:
        """Replace a session's tags, while it runs."""
        if not core.running:
            logger.warning("Session %s has ended: its tags stay as they are.", core.text)
            return
        core.tags = list(dict.fromkeys(tags))
        self.say(core, {semconv.TAGS: list(core.tags)})

    def say(self, core: Core, attributes: dict[str, Any]) -> None:
        """Set attributes of the root span and write it again."""
        root = core.root
        if not core.running:
            return
        if root is None or root.orphaned:
            self._contribute(core, attributes)
            return
        root.set_attributes(attributes)
        self.recorder.root(core)

    def _contribute(self, core: Core, attributes: dict[str, Any]) -> None:
        """Say something about a session whose root is another process's: on a root span of this one's own."""
        from agentops.sdk.spans import RecordedSpan

        said = {semconv.SPAN_KIND: semconv.SESSION_KIND, semconv.INHERITED: True, **attributes}
        span = RecordedSpan(core, core.name, said, parent=None, above=None)
        span.seq = _UNNUMBERED
        span.end()

    def finish(self, core: Core, end_state: str, end_reason: Any, video: str | None = None) -> bool:
        """End a session, or leave it when it was started elsewhere. Returns False when it had ended before.

        Calls still open get their start on disk first, so that they are shown as interrupted.
        """
        if core.root is None:
            return True  # Met through a remote context: there is nothing of it here to end.
        with core.lock:
            if not core.running:
                return False
            core.running = False
        core.end_state, core.end_reason = end_state, _reason(end_reason)
        if video is not None:
            core.video = word(video)
        self._end(core, core.root, end_state, core.end_reason)
        core.end_ns = time.time_ns()
        self.registry.remove(core)
        return True

    def conclude(self, core: Core, end_state: str, reason: str) -> None:
        """Write that a session ends with the process, and leave it to what still runs.

        Exit handlers registered before ours, and threads, go on recording in it, and may end it otherwise.
        """
        with core.lock:
            if core.running and core.root is not None:
                self._end(core, core.root, end_state, _reason(reason))
                core.concluded = True
                core.root.reopen()

    def _end(self, core: Core, root: RecordedSpan, end_state: str, reason: str | None) -> None:
        """Write the end of a session's root."""
        for span in list(core.open.values()):
            if not span.announced and span.is_recording():
                self.recorder.announce(span)
        if core.concluded:
            root.unsay(semconv.END_STATE_REASON)
        said = self.recorder.progress(core)
        if core.video is not None:
            said[semconv.VIDEO] = core.video
        if not core.inherited:
            said[semconv.END_STATE] = end_state
            if reason:
                said[semconv.END_STATE_REASON] = reason
            if end_state == state.FAIL:
                root.fail_with(reason or "")
        root.set_attributes(said)
        root.end()

    def leave(self, core: Core, error_type: str, message: str) -> None:
        """Record, on an inherited session, why this process leaves it."""
        from agentops.sdk.provider import place
        from agentops.sdk.spans import RecordedSpan

        parent, above = place(core, {})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] -- a context is read as a dict
        attributes = {semconv.SPAN_KIND: "error", "error.type": error_type, semconv.ERROR_DETAILS: message}
        span = RecordedSpan(core, error_type, attributes, parent=parent, above=above)
        self.recorder.started(span)
        span.fail_with(message)
        span.end()
