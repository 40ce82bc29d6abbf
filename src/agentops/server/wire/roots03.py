"""A session that a 0.3 client posts becomes the root span of its trace: pure functions over what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentops import semconv
from agentops.model import Attributes, Span
from agentops.server.normalise.content import END_STATES
from agentops.server.normalise.values import is_object
from agentops.server.wire.events03 import (
    SCOPE,
    at_ns,
    json_of,
    resource,
    root_of,
    text_of,
    trace_of,
    words_of,
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of a session's root. `ended_at` is 0 while it runs."""

    started_at: int
    ended_at: int
    tags: list[str]
    host_env: str
    service: str
    end_state: str
    end_reason: str
    video: str
    foreign: bool = False
    """Another client began this session: this one contributes to it."""


def session_span(session_id: str, said: Mapping[str, Any], known: Known | None, now_ns: int) -> Span:
    """Return a session's root.

    Args:
        session_id: its id.
        said: the client's session object; what it does not name stays as it is known.
        known: what is stored of it; a process that inherits a session changes neither start nor host.
        now_ns: when it was received.
    """
    began = at_ns(said.get("init_timestamp")) or (known.started_at if known else now_ns)
    tags = words_of(said.get("tags"))
    host: Any = said.get("host_env")
    host_env = json_of(host) if is_object(host) and host else ""
    service = _folder(host)
    video = text_of(said.get("video"))
    ended, state, reason = _end(said, known)
    if known is not None:
        inherits = began > known.started_at
        began = min(began, known.started_at)
        if inherits:
            tags = list(dict.fromkeys([*known.tags, *tags]))
        elif said.get("tags") is None:
            tags = known.tags
        if inherits or not host_env:
            host_env = known.host_env or host_env
            service = known.service or service
        video = video or known.video
    attributes: Attributes = {
        semconv.SESSION_ID: session_id,
        semconv.SPAN_KIND: semconv.SESSION_KIND,
        semconv.TAGS: tags,
    }
    for name, value in (
        (semconv.HOST_ENV, host_env),
        (semconv.END_STATE, state),
        (semconv.END_STATE_REASON, reason),
        (semconv.VIDEO, video),
    ):
        if value:
            attributes[name] = value
    if known is not None and known.foreign:
        attributes[semconv.INHERITED] = True
    failed = state == "Fail"
    return Span(
        trace_id=trace_of(session_id),
        span_id=root_of(session_id),
        parent_id="",
        name=service or "session",
        start_ns=began,
        end_ns=max(ended, began) if ended else 0,
        resource=resource(service),
        scope=SCOPE,
        attributes=attributes,
        status=2 if failed else 1 if ended else 0,
        status_message=reason if failed else "",
    )


def _end(said: Mapping[str, Any], known: Known | None) -> tuple[int, str, str]:
    """Return when a session ended (0: it runs), its end state and the reason.

    `get_analytics()` of 0.3.26 sends an end time while the session goes on: `is_running` says so.
    """
    ended = None if said.get("is_running") is True else at_ns(said.get("end_timestamp"))
    if not ended:
        return (known.ended_at, known.end_state, known.end_reason) if known else (0, "", "")
    # Whoever ends a session and says nothing that is known leaves it open how it went.
    state = END_STATES.get(text_of(said.get("end_state")).strip().lower(), "Indeterminate")
    return ended, state, text_of(said.get("end_state_reason"))


def _folder(host: Any) -> str:
    """Return the name of the folder that the program ran in: the nearest thing to a name that they send."""
    if not is_object(host):
        return ""
    place: Any = host.get("Project Working Directory")
    if is_object(place):
        place = place.get("Project Working Directory")
    return place.replace("\\", "/").rstrip("/").rpartition("/")[2] if isinstance(place, str) else ""
