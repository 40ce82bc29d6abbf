"""Traces: sessions by the names of AgentOps 0.4. The same id, the same rules."""

from __future__ import annotations

import enum
import logging
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Self, cast
from uuid import UUID

from agentops.ambient import get_current
from agentops.sdk import state
from agentops.sdk.client import client
from agentops.sdk.session import Session
from agentops.sdk.settings import word, words
from agentops.sdk.signature import keywords

if TYPE_CHECKING:
    from types import TracebackType

logger: Final = logging.getLogger("agentops")


class TraceState(enum.Enum):
    """How a trace ended, in the words of 0.4; `end_trace` takes these and the end states alike."""

    SUCCESS = "Success"
    ERROR = "Fail"
    UNSET = "Indeterminate"


SUCCESS: Final = TraceState.SUCCESS
ERROR: Final = TraceState.ERROR
UNSET: Final = TraceState.UNSET


class TraceContext:
    """A trace that was started: a session and its span. A context manager, as a session is."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def trace_id(self) -> UUID:
        """The session's id."""
        return self.session.session_id

    @property
    def span(self) -> Any:
        """The session's root span, an OpenTelemetry span."""
        return self.session._core.root  # pyright: ignore[reportPrivateUsage] -- a Session is the face of its core

    def __enter__(self) -> Self:
        self.session.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.__exit__(kind, error, trace)


@keywords
def start_trace(trace_name: str = "session", tags: Any = None) -> TraceContext:
    """Start a session named `trace_name`; `tags` may be a list, a text or a mapping (`key:value` each)."""
    return TraceContext(client.session(name=trace_name, tags=words(tags)))


@keywords
def end_trace(ctx: TraceContext | Session | None = None, end_state: Any = state.SUCCESS) -> None:
    """End a trace; without one, every active one.

    Raises:
        ValueError: `end_state` is not an end state; the trace stays open.
        TypeError: `ctx` is neither what `start_trace` returned nor a session.
    """
    found = state.end_state(end_state, trace=True)
    if ctx is not None and not isinstance(cast("Any", ctx), TraceContext | Session):
        kind = type(cast("object", ctx)).__name__
        raise TypeError(
            f"end_trace() takes what start_trace() returned, not {kind}; a state is given as end_state=..."
        )
    if not client.ready:
        return
    if ctx is None:
        client.end_all(found, None)
        client.shipper.flush(client.figures.exit_wait(1.0))
        return
    session = ctx.session if isinstance(ctx, TraceContext) else ctx
    client.end(session, found, None, None)


def update_trace_metadata(metadata: Mapping[str, Any], prefix: str = "trace.metadata") -> bool:
    """Set attributes of the current session (`tags`: its tags, `user.id`: its user); False without one.

    Raises:
        TypeError: `metadata` is no mapping.
    """
    if not isinstance(cast("Any", metadata), Mapping):
        kind = type(metadata).__name__
        raise TypeError(f"update_trace_metadata() takes a mapping of names to values, not {kind}")
    core = client.belonging.current() if client.ready else None
    if core is None or not core.running:
        logger.warning("update_trace_metadata() found no session here")
        return False
    attributes: dict[str, Any] = {}
    for key, value in metadata.items():
        if key == "tags":
            client.lifecycle.retag(core, words(value))
        elif key in ("user.id", "user_id"):
            attributes["user.id"] = word(value)
        else:
            plain = issubclass(type(value), str | bool | int | float)
            attributes[f"{prefix}.{word(key)}" if prefix else word(key)] = (
                value if plain else client.captured(value)
            )
    if attributes:
        client.lifecycle.say(core, attributes)
    return True


class ValidationError(Exception):
    """A trace does not hold what `validate_trace_spans` was to find."""


@keywords
def validate_trace_spans(
    trace_id: Any = None,
    trace_context: TraceContext | None = None,
    max_retries: int = 10,
    retry_delay: float = 1.0,
    check_llm: bool = True,
    min_spans: int = 1,
    api_key: str | None = None,
) -> dict[str, Any]:
    """Wait until the server has a trace with its events, and return what it has.

    Args:
        trace_id: id of the session (text, UUID or integer); default: `trace_context`'s, else the current.
        trace_context: what `start_trace` returned.
        max_retries: how often to look again.
        retry_delay: seconds between looks.
        check_llm: whether there must be an LLM call among them.
        min_spans: how many events there must be.
        api_key: accepted for compatibility; the key in use is used.

    Returns:
        `{"trace_id", "span_count", "llm_count", "session"}`.

    Raises:
        ValidationError: the server does not have them in time.
        ValueError: there is no session to look for.
    """
    from agentops.sdk.lifecycle import trace_id_of

    del api_key
    core = client.belonging.find(get_current()) if client.ready else None
    if trace_context is not None:
        trace_id = trace_context.trace_id
    elif trace_id is None and core is not None:
        trace_id = core.session_id
    if trace_id is None or not client.ready:
        raise ValueError("validate_trace_spans() needs trace_id= or trace_context=: there is no session here")
    wanted = trace_id if isinstance(trace_id, int) else trace_id_of(trace_id)
    text = str(UUID(int=wanted))
    found: dict[str, Any] = {}
    for look in range(max(max_retries, 1)):
        if look:
            time.sleep(retry_delay)
        found = client.ask(text) or {}
        counts: dict[str, Any] = found.get("event_counts") or {}
        spans, calls = int(counts.get("total") or 0), int(counts.get("llm") or 0)
        if spans >= min_spans and (calls or not check_llm):
            return {"trace_id": text, "span_count": spans, "llm_count": calls, "session": found}
    raise ValidationError(
        f"session {text} has {(found.get('event_counts') or {}).get('total', 0)} events on the server; "
        f"wanted {min_spans} or more{', one of them an LLM call' if check_llm else ''}"
    )


def print_validation_summary(result: Mapping[str, Any]) -> None:
    """Print what `validate_trace_spans` returned."""
    session: Mapping[str, Any] = result.get("session") or {}
    tokens: Mapping[str, Any] = session.get("tokens") or {}
    sys.stdout.write(
        f"trace {result.get('trace_id')}: {result.get('span_count')} events, "
        f"{result.get('llm_count')} LLM calls, {tokens.get('total') or 0} tokens, "
        f"{session.get('cost_usd') or 0} USD\n"
    )
