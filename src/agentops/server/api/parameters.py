"""Query parameters: the filters, read once for all routes that take them, and nothing unnamed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request
from fastapi.dependencies.models import Dependant
from pydantic import WithJsonSchema

from agentops.config import nearest
from agentops.server.api.errors import ApiError
from agentops.server.api.state import now_ns, project_of
from agentops.server.query.filters import ALSO, STATES, Filters
from agentops.server.query.times import duration_ns, moment

_known: Final[dict[int, list[str]]] = {}


def _names(dependant: Dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        yield parameter.alias
    for inner in dependant.dependencies:
        yield from _names(inner)


async def only_known(request: Request) -> None:
    """Refuse a query parameter that the route does not take: a misspelt filter must not widen an answer."""
    if not request.query_params:
        return
    route: Any = request.scope.get("route")
    known = _known.get(id(route))
    if known is None:
        known = _known[id(route)] = sorted(set(_names(route.dependant)))
    for name in request.query_params:
        if name not in known:
            meant = nearest(name, known)
            hint = (
                f"Did you mean {meant!r}?" if meant else f"It takes: {', '.join(known) or 'no parameters'}."
            )
            raise ApiError(400, "unknown_parameter", f"{name}: this route does not take it.", hint)


def _invalid(name: str, given: str, use: str) -> ApiError:
    return ApiError(400, "invalid_parameter", f"{name}: {given!r} cannot be used.", use)


# What cannot be used is refused below with a hint of ours; the schema says it too, for who reads only that.
_DISTANCE: Final = r"^[0-9]{1,6}(\.[0-9]{1,3})?[smhdwSMHDW]$"
TextQuery = Annotated[
    str,
    Query(max_length=1000, description="text in names, inputs, outputs and errors"),
]
_State = Annotated[str, WithJsonSchema({"type": "string", "enum": list(STATES)})]
_Also = Annotated[str, WithJsonSchema({"type": "string", "pattern": rf"^({'|'.join(ALSO)}):"})]
_Moment = Annotated[
    str,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
                {"type": "string", "pattern": _DISTANCE},
                {"type": "string", "maxLength": 0},
            ]
        }
    ),
]
_Duration = Annotated[
    str, WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,6})?(ms|s|m|h)?$"})
]


def filters(
    request: Request,
    q: TextQuery = "",
    tag: Annotated[list[str] | None, Query(description="repeatable: sessions with all of them")] = None,
    state: Annotated[
        list[_State] | None, Query(description="running, success, fail or indeterminate; repeatable")
    ] = None,
    since: Annotated[
        _Moment | None, Query(description="started at or after: ISO 8601, or back from now as 24h or 7d")
    ] = None,
    until: Annotated[_Moment | None, Query(description="started before: as since")] = None,
    model: Annotated[list[str] | None, Query(description="repeatable: any of them")] = None,
    agent: Annotated[list[str] | None, Query(description="repeatable: any of them")] = None,
    tool: Annotated[list[str] | None, Query(description="repeatable: any of them")] = None,
    user: Annotated[list[str] | None, Query(description="repeatable: any of them")] = None,
    name: Annotated[
        list[str] | None, Query(description="the session's whole name; repeatable: any of them")
    ] = None,
    error: Annotated[
        list[str] | None, Query(description="an error's type, or true or false for with and without")
    ] = None,
    also: Annotated[
        list[_Also] | None,
        Query(
            description="repeatable: what else they have, all of it: model:NAME, agent:NAME, tool:NAME, "
            "or error:TYPE: MESSAGE as /api/analytics/errors tells them"
        ),
    ] = None,
    min_cost: Annotated[float | None, Query(ge=0, description="US dollars")] = None,
    min_duration: Annotated[
        _Duration | None, Query(description="milliseconds, or with a unit: 500ms, 2s, 1m, 1h")
    ] = None,
) -> Filters:
    """Read the filters of a request."""
    now = now_ns()
    for word in state or ():
        if word and word not in STATES:
            meant = nearest(word, list(STATES))
            raise _invalid(
                "state", word, f"Use {', '.join(STATES)}." + (f" Did you mean {meant!r}?" if meant else "")
            )
    for word in also or ():
        if word and word.partition(":")[0] not in (ALSO if ":" in word else ()):
            raise _invalid("also", word, f"Begin with {', '.join(f'{kind}:' for kind in ALSO)}.")
    return Filters(
        project=project_of(request),
        now_ns=now,
        q=q.strip(),
        tag=_words(tag),
        state=_words(state),
        since_ns=moment_of("since", since, now),
        until_ns=moment_of("until", until, now),
        model=_words(model),
        agent=_words(agent),
        tool=_words(tool),
        user=_words(user),
        name=_words(name),
        error=_words(error),
        also=_words(also),
        min_cost=_cost(min_cost),
        min_duration_ns=_duration(min_duration),
    )


def _words(given: list[str] | None) -> list[str]:
    return [word for word in given or () if word]


def _cost(given: float | None) -> float | None:
    if given is not None and not math.isfinite(given):
        raise _invalid("min_cost", str(given), "Use a number of US dollars.")
    return given


def moment_of(name: str, given: str | None, now: int) -> int | None:
    """Return a time that was asked for as unix nanoseconds, None for none.

    Raises:
        ApiError: 400, it is none.
    """
    if given is None or not given.strip():
        return None
    try:
        when = moment(given.strip(), now)
    except (ValueError, OverflowError):
        raise _invalid(
            name, given, "Use ISO 8601, such as 2026-11-20T09:00:00Z, or back from now, such as 24h or 7d."
        ) from None
    return min(when, 2**63)


def _duration(given: str | None) -> int | None:
    if given is None or given == "":
        return None
    try:
        return min(duration_ns(given), 2**63)
    except (ValueError, OverflowError):
        raise _invalid("min_duration", given, "Use milliseconds, or a number with ms, s, m or h.") from None


FilterQuery = Annotated[Filters, Depends(filters)]
CursorQuery = Annotated[str | None, Query(max_length=2000, description="next_cursor of the previous page")]
