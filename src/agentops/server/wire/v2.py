"""The routes of the published 0.3 clients: sessions, events, agents, and the token that goes with them.

The body says which session is meant, else the token does; what rides along in headers beside them says
nothing. Every 200 comes after the commit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from agentops.server.api.answers import documented, json
from agentops.server.api.errors import ApiError
from agentops.server.api.otlp import in_thread
from agentops.server.api.state import Rooms, caller_of, now_ns, own_writes, rooms
from agentops.server.normalise.values import is_list, is_object
from agentops.server.query.sessions import session
from agentops.server.wire.addresses import session_url
from agentops.server.wire.batches03 import session_of, spans_of
from agentops.server.wire.events03 import agents_span, at_ns
from agentops.server.wire.json_body import object_of, text_field
from agentops.server.wire.roots03 import session_span
from agentops.server.wire.sessions03 import Agent, Agents, known_root

router = APIRouter(prefix="/v2", tags=["AgentOps 0.3 clients"])


class Token(BaseModel):
    """A token for a session."""

    jwt: str
    status: str = "Success"
    session_url: str = ""


class Status(BaseModel):
    """What was done; for a session, what it cost so far in US dollars."""

    status: str
    token_cost: str | None = None


def _posting(what: str) -> dict[str, Any]:
    return {
        "requestBody": {
            "required": True,
            "description": what,
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    }


@router.post(
    "/create_session",
    operation_id="v2CreateSession",
    response_model=None,
    responses=documented(Token, 400, 413, 415),
    openapi_extra=_posting('{"session": {session_id, init_timestamp, tags, host_env, ...}}'),
)
async def create_session(request: Request) -> Response:
    """Begin a session, or contribute to one that exists; answer with its token."""
    here = rooms(request)
    caller = caller_of(request)
    said = _inner(await object_of(request, here))
    session_id = session_of(said, caller)

    def work() -> Future[None] | None:
        if known_root(here.store, caller.project, session_id) is not None:
            return None
        return here.ingest.spans([session_span(session_id, said, None, time.time_ns())], caller.project)

    await _done(work)
    return json(
        {
            "jwt": here.auth.token(None, caller, session_id),
            "status": "Success",
            "session_url": session_url(request, session_id),
        }
    )


@router.post(
    "/update_session",
    operation_id="v2UpdateSession",
    response_model=None,
    responses=documented(Status, 400, 413, 415),
    openapi_extra=_posting('{"session": {session_id, end_timestamp, end_state, tags, ...}}'),
)
async def update_session(request: Request) -> Response:
    """Take what a client says of its session now, its end included; answer with what it cost."""
    here = rooms(request)
    caller = caller_of(request)
    said = _inner(await object_of(request, here))
    session_id = session_of(said, caller)

    def work() -> Future[None]:
        known = known_root(here.store, caller.project, session_id)
        return here.ingest.spans([session_span(session_id, said, known, time.time_ns())], caller.project)

    await _done(work)
    # Not among the threads that decode: it waits for the session's row.
    cost = await to_thread.run_sync(lambda: _cost(here, caller.project, session_id))
    return json({"status": "success", "token_cost": cost})


@router.post(
    "/create_events",
    operation_id="v2CreateEvents",
    response_model=None,
    responses=documented(Status, 400, 413, 415),
    openapi_extra=_posting('{"events": [{id, event_type, init_timestamp, end_timestamp, session_id, ...}]}'),
)
async def create_events(request: Request) -> Response:
    """Take events; one that came before is replaced."""
    return await _events(request, update=False)


@router.post(
    "/update_events",
    operation_id="v2UpdateEvents",
    response_model=None,
    responses=documented(Status, 400, 413, 415),
    openapi_extra=_posting('{"events": [{id, ...}]}'),
)
async def update_events(request: Request) -> Response:
    """Take what changed of events; what an update leaves out stays as it was."""
    return await _events(request, update=True)


@router.post(
    "/create_agent",
    operation_id="v2CreateAgent",
    response_model=None,
    responses=documented(Status, 400, 413, 415),
    openapi_extra=_posting('{"id": "...", "name": "..."}'),
)
async def create_agent(request: Request) -> Response:
    """Make an agent known to the token's session."""
    here = rooms(request)
    caller = caller_of(request)
    said = await object_of(request, here)
    session_id = session_of(said, caller)
    agent_id = text_field(said, "id")
    name = str(said.get("name") or agent_id)

    def work() -> Future[None]:
        agents = _agents(request, here).of(caller.project, session_id)
        now = time.time_ns()
        agent = agents.setdefault(agent_id, Agent(name, now, now))
        agent.name = name
        return here.ingest.spans(
            [agents_span(session_id, agent_id, name, agent.began, agent.ended)], caller.project
        )

    await _done(work)
    return json({"status": "success"})


@router.post(
    "/reauthorize_jwt",
    operation_id="v2ReauthorizeJwt",
    response_model=None,
    responses=documented(Token, 400, 413, 415),
    openapi_extra=_posting('{"session_id": "..."}'),
)
async def reauthorize_jwt(request: Request) -> Response:
    """Return a new token for a session."""
    here = rooms(request)
    caller = caller_of(request)
    session_id = session_of(await object_of(request, here), caller)
    return json({"jwt": here.auth.token(None, caller, session_id), "status": "Success"})


async def _events(request: Request, *, update: bool) -> Response:
    here = rooms(request)
    caller = caller_of(request)
    said = await object_of(request, here)
    listed: Any = said.get("events")
    if not is_list(listed):
        raise ApiError(400, "invalid_body", "events: it is missing or no list.", "Send a list of events.")
    events = listed

    def work() -> Future[None] | None:
        spans = spans_of(here.store, _agents(request, here), caller, events, update=update)
        return here.ingest.spans(spans, caller.project) if spans else None

    await _done(work)
    return json({"status": "success"})


def _agents(request: Request, here: Rooms) -> Agents:
    found: Agents | None = getattr(request.app.state, "agents03", None)
    if found is None:
        found = request.app.state.agents03 = Agents(here.store)
    return found


def _inner(said: dict[str, Any]) -> dict[str, Any]:
    inner: Any = said.get("session")
    if not is_object(inner):
        raise ApiError(
            400, "invalid_body", "session: it is missing or no object.", "Send the session as an object."
        )
    found = inner
    if "init_timestamp" in found and at_ns(found["init_timestamp"]) is None:
        raise ApiError(
            400,
            "invalid_body",
            "session.init_timestamp: it is no ISO 8601 time.",
            "Send a time such as 2026-01-31T12:00:00.000Z.",
        )
    return found


async def _done(work: Callable[[], Future[None] | None]) -> None:
    done = await in_thread(work)
    if done is not None:
        # Shielded: a client that leaves does not take its rows back.
        await asyncio.shield(asyncio.wrap_future(done))


def _cost(here: Rooms, project: str, session_id: str) -> str:
    own_writes(here)
    found = session(here.store, project, session_id, now_ns())
    cost = found["cost_usd"] if found else None
    return "unknown" if cost is None else f"{cost:.10f}".rstrip("0").rstrip(".")
