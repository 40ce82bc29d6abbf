"""The routes of the published 0.4 clients beside OTLP: tokens, and uploads of log text and objects."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import PlainTextResponse, Response

from agentops.model import LogRecord, Resource, Scope
from agentops.server.api.answers import documented, json
from agentops.server.api.errors import ApiError
from agentops.server.api.gate import address_of, looked_again
from agentops.server.api.otlp import in_thread
from agentops.server.api.state import caller_of, rooms
from agentops.server.auth.caller import DEFAULT_PROJECT, unauthorised
from agentops.server.auth.tokens import read
from agentops.server.query.public import object_text
from agentops.server.store.membership import trace_session
from agentops.server.wire.addresses import base_url, session_url
from agentops.server.wire.json_body import object_of, text_field

router = APIRouter(tags=["AgentOps 0.4 clients"])
OBJECT_EVENT: Final = "agentops.object"
_RESOURCE: Final = Resource({"agentops.client": "0.4"})
_SCOPE: Final = Scope("agentops.v4")
_LINE: Final = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) - (DEBUG|INFO|WARNING|ERROR|CRITICAL) - (.*)", re.DOTALL
)
"""A line as that client's logger writes it."""
_SEVERITIES: Final = {"DEBUG": 5, "INFO": 9, "WARNING": 13, "ERROR": 17, "CRITICAL": 21}


class Granted(BaseModel):
    """A token and its project."""

    token: str
    project_id: str
    project_prem_status: str = "pro"


class Verified(BaseModel):
    """What a token is worth."""

    valid: bool
    project_id: str
    expires_at: int


class Bearer(BaseModel):
    """A token for the public read API."""

    bearer: str


class Uploaded(BaseModel):
    """Where an upload is, and its size in bytes."""

    url: str
    size: int


_KEY_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["api_key"],
                    "properties": {"api_key": {"type": "string"}},
                }
            }
        },
    }
}
_OF_TRACE: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "Trace-Id",
            "in": "header",
            "required": True,
            "schema": {"type": "string", "pattern": "^[0-9]+$"},
        }
    ]
}
_TEXT_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["body"],
                    "properties": {"body": {"type": "string"}},
                }
            }
        },
    }
}


@router.post(
    "/v3/auth/token",
    operation_id="v3CreateToken",
    response_model=None,
    responses=documented(Granted, 400, 413, 415),
    openapi_extra=_KEY_BODY,
)
async def create_token(request: Request) -> Response:
    """Exchange a key for a token that lives 30 days and dies with the key."""
    token, project = await _exchanged(request)
    return json({"token": token, "project_id": project, "project_prem_status": "pro"})


@router.get(
    "/v3/auth/token", operation_id="v3VerifyToken", response_model=None, responses=documented(Verified)
)
def verify_token(request: Request) -> Response:
    """Say whether the token that was sent is worth something."""
    here = rooms(request)
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    claims = read(here.auth.secret, text.strip()) if scheme.lower() == "bearer" else None
    if claims is None:
        raise unauthorised("The token that was sent is not one of this server's, or has ended.")
    caller = here.auth.authenticate({"authorization": f"Bearer {text.strip()}"})
    return json({"valid": True, "project_id": caller.project, "expires_at": claims.exp})


@router.post(
    "/public/v1/auth/access_token",
    operation_id="publicCreateToken",
    response_model=None,
    responses=documented(Bearer, 400, 413, 415),
    openapi_extra=_KEY_BODY,
)
async def create_access_token(request: Request) -> Response:
    """Exchange a key for a token of the public read API."""
    token, _ = await _exchanged(request)
    return json({"bearer": token})


async def _exchanged(request: Request) -> tuple[str, str]:
    here = rooms(request)
    text = text_field(await object_of(request, here), "api_key")
    if not here.auth.required:
        return here.auth.token(None), DEFAULT_PROJECT
    try:
        UUID(text)
    except ValueError:
        raise ApiError(
            400, "invalid_body", "api_key: it has not the form of a key.", "Send the UUID that the key is."
        ) from None
    if here.auth.keys.find(text) is None:
        await looked_again(here.auth)
    key = here.auth.exchange(text, address_of(request.scope))
    if key is None:
        raise ApiError(
            403,
            "unknown_key",
            "api_key: it is no key of this server, or it has ended or was revoked.",
            "`agentops keys create` makes one.",
        )
    return here.auth.token(key), key.project


@router.post(
    "/v4/logs/upload/",
    operation_id="v4UploadLogs",
    response_model=None,
    responses=documented(Uploaded, 400, 413, 415),
    openapi_extra=_TEXT_BODY | _OF_TRACE,
)
async def upload_logs(request: Request) -> Response:
    """Take what a program printed, as log records of the trace that the header Trace-Id names in decimal."""
    here = rooms(request)
    caller = caller_of(request)
    text = _text(await object_of(request, here))
    trace_id = _trace_id(request.headers.get("trace-id", ""))
    done = await in_thread(
        lambda: here.ingest.records(_lines(text, trace_id), caller.project) if text.strip() else None
    )
    if done is not None:
        await asyncio.shield(asyncio.wrap_future(done))
    url = f"{session_url(request, trace_session(trace_id))}?view=logs"
    return json({"url": url, "size": len(text.encode(errors="replace"))})


@router.post(
    "/v4/objects/upload/",
    operation_id="v4UploadObject",
    response_model=None,
    responses=documented(Uploaded, 400, 413, 415),
    openapi_extra=_TEXT_BODY,
)
async def upload_object(request: Request) -> Response:
    """Keep a text, and say where it can be read."""
    here = rooms(request)
    caller = caller_of(request)
    text = _text(await object_of(request, here))
    object_id = secrets.token_hex(8)
    record = LogRecord(
        time_ns=time.time_ns(),
        severity=0,
        severity_text="",
        body=text,
        resource=_RESOURCE,
        scope=_SCOPE,
        span_id=object_id,
        event_name=OBJECT_EVENT,
    )
    done = await in_thread(lambda: here.ingest.records([record], caller.project))
    await asyncio.shield(asyncio.wrap_future(done))
    return json(
        {"url": f"{base_url(request)}/v4/objects/{object_id}", "size": len(text.encode(errors="replace"))}
    )


@router.get(
    "/v4/objects/{object_id}",
    operation_id="v4GetObject",
    response_model=None,
    responses={
        200: {"description": "The text.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **documented(None, 404),
    },
)
def get_object(request: Request, object_id: str) -> Response:
    """Return a text that was uploaded."""
    here = rooms(request)
    found = object_text(here.store, caller_of(request).project, OBJECT_EVENT, object_id)
    if found is None:
        raise ApiError(
            404,
            "object_not_found",
            f"There is no object {object_id!r}.",
            "POST /v4/objects/upload/ keeps one.",
        )
    return PlainTextResponse(
        found, headers={"Cache-Control": "no-store", "Content-Disposition": "attachment"}
    )


def _text(said: dict[str, Any]) -> str:
    value = said.get("body")
    if not isinstance(value, str):
        raise ApiError(400, "invalid_body", "body: it is missing or no text.", "Send the text as body.")
    return value


def _trace_id(text: str) -> str:
    """Return a trace id in hex; that client sends it in decimal."""
    if re.fullmatch("[0-9a-f]{32}", text) and not text.isdecimal():
        return text
    number = int(text) if re.fullmatch("[0-9]{1,39}", text) else 0
    if not 0 < number < 2**128:
        raise ApiError(
            400,
            "invalid_parameter",
            f"Trace-Id: {text[:50]!r} is no trace id.",
            "Send the trace's id as a decimal number.",
        )
    return f"{number:032x}"


def _lines(text: str, trace_id: str) -> list[LogRecord]:
    """Return log text as records: one for each line that its logger began, with what follows it."""
    now = time.time_ns()
    found: list[tuple[int, str, list[str]]] = []
    for line in text.splitlines():
        read_line = _LINE.fullmatch(line)
        if read_line:
            at = int(datetime.strptime(read_line[1], "%Y-%m-%d %H:%M:%S,%f").timestamp() * 1000) * 10**6  # noqa: DTZ007 -- written in the machine's own zone
            # A machine in another zone says an hour that is not ours: what is far from now is not believed.
            at = at if abs(now - at) < 86_400 * 10**9 and at <= now else now
            found.append((at, read_line[2], [read_line[3]]))
        elif found:
            found[-1][2].append(line)
        elif line.strip():
            found.append((now, "INFO", [line]))
    return [
        LogRecord(
            time_ns=at,
            severity=_SEVERITIES[level],
            severity_text=level,
            body="\n".join(lines),
            resource=_RESOURCE,
            scope=_SCOPE,
            trace_id=trace_id,
        )
        for at, level, lines in found
    ]
