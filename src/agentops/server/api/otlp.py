"""Routes that OpenTelemetry exporters post to: /v1/traces, /v1/logs, /v1/metrics."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from agentops.otlp.refusal import Rejected
from agentops.semconv import SENT_AT_HEADER
from agentops.server.api.answers import documented
from agentops.server.api.state import Rooms, project_of, rooms
from agentops.server.auth import Caller
from agentops.server.ingest import accepted, decompressed, encoding_of
from agentops.server.ingest.body import too_large
from agentops.server.ingest.decoders import MOST_AT_ONCE
from agentops.server.ingest.intake import Held

if TYPE_CHECKING:
    from agentops.otlp.decode import Encoding

router = APIRouter(prefix="/v1", tags=["ingest"])

_MEDIA: Final[dict[Encoding, str]] = {"json": "application/json", "protobuf": "application/x-protobuf"}
_limiter: CapacityLimiter | None = None
Value = TypeVar("Value")
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "An OTLP export request. Content-Encoding: identity, gzip, deflate or zstd.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/x-protobuf": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Everything that was not refused is committed to the store.",
        "content": {
            "application/json": {
                "schema": {"type": "object", "properties": {"partialSuccess": {"type": "object"}}},
            },
            "application/x-protobuf": {"schema": {"type": "string", "format": "binary"}},
        },
    },
    **documented(None, 400, 413, 415),
}


@router.post(
    "/traces", operation_id="exportTraces", response_model=None, responses=_ANSWERS, openapi_extra=_BODY
)
async def export_traces(request: Request) -> Response:
    """Take spans; answer when they are committed."""
    here = rooms(request)
    encoding = encoding_of(request.headers.get("content-type", ""))
    sent_at = _sent_at(request)
    project = project_of(request)
    done, rejected = await with_body(
        request,
        here,
        lambda body: here.ingest.traces(body, encoding, project, sent_at),
        here.writer.expecting(),
    )
    return await _answer(done, rejected, encoding, "Spans")


@router.post("/logs", operation_id="exportLogs", response_model=None, responses=_ANSWERS, openapi_extra=_BODY)
async def export_logs(request: Request) -> Response:
    """Take log records; answer when they are committed."""
    here = rooms(request)
    encoding = encoding_of(request.headers.get("content-type", ""))
    project = project_of(request)
    done, rejected = await with_body(request, here, lambda body: here.ingest.logs(body, encoding, project))
    return await _answer(done, rejected, encoding, "LogRecords")


@router.post(
    "/metrics", operation_id="exportMetrics", response_model=None, responses=_ANSWERS, openapi_extra=_BODY
)
async def export_metrics(request: Request) -> Response:
    """Accept metrics and drop them, so that exporters stay quiet."""
    here = rooms(request)
    encoding = encoding_of(request.headers.get("content-type", ""))
    done, rejected = await with_body(request, here, lambda body: here.ingest.metrics(body, encoding))
    return await _answer(done, rejected, encoding, "DataPoints")


async def with_body(
    request: Request,
    here: Rooms,
    work: Callable[[bytes], Value],
    meanwhile: AbstractContextManager[None] | None = None,
) -> Value:
    """Read a request's body and do `work` with it, off the event loop; nobody holds it afterwards.

    Args:
        request: whose body.
        here: the rooms, whose intake counts it.
        work: what to do with it, decompressed.
        meanwhile: entered while `work` waits for its turn and is done.

    Raises:
        Full: more bodies are held than there is room for, or the server is leaving.
        Refused: it is over the limit, or cannot be decompressed.
    """
    with here.ingest.intake.holding() as held:
        body = await _body_of(request, here, held)

        def unpack_and_work() -> Value:
            held.grow(0)
            return work(_unpacked(request, body, here))

        with meanwhile or contextlib.nullcontext():
            return await in_thread(unpack_and_work)


async def _body_of(request: Request, here: Rooms, held: Held) -> bytes:
    """Return a request's body as it came, up to the limit."""
    limit = here.max_body_bytes
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise too_large(limit)
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        held.grow(len(piece))
        size += len(piece)
        if size > limit:
            raise too_large(limit)
        pieces.append(piece)
    return b"".join(pieces)


def _unpacked(request: Request, body: bytes, here: Rooms) -> bytes:
    """Return a body decompressed; it counts towards the caller's quota."""
    whole = decompressed(body, request.headers.get("content-encoding", ""), here.max_body_bytes)
    caller: Caller | None = request.scope.get("agentops.caller")
    if caller is not None:
        here.auth.took(caller, len(whole))
    return whole


def _sent_at(request: Request) -> int | None:
    text = request.headers.get(SENT_AT_HEADER, "")
    return int(text) if re.fullmatch(r"[0-9]{1,19}", text) else None


async def in_thread(work: Callable[[], Value]) -> Value:
    """Decode off the event loop, a few bodies at a time: more threads would only take turns."""
    global _limiter
    if _limiter is None:
        _limiter = CapacityLimiter(MOST_AT_ONCE)
    return await to_thread.run_sync(work, limiter=_limiter)


async def _answer(
    done: Future[None] | None, rejected: list[Rejected], encoding: Encoding, noun: str
) -> Response:
    if done is not None:
        # Shielded: a client that leaves does not take its rows back.
        await asyncio.shield(asyncio.wrap_future(done))
    return Response(accepted(encoding, rejected, noun), 200, media_type=_MEDIA[encoding])
