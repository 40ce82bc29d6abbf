"""Routes that move sessions between stores: export of many, import."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Annotated, Any, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from agentops.server.api import models
from agentops.server.api.answers import documented, json
from agentops.server.api.errors import ApiError
from agentops.server.api.otlp import with_body
from agentops.server.api.parameters import FilterQuery, only_known
from agentops.server.api.state import Rooms, now_ns, own_writes, project_of, rooms
from agentops.server.ingest.body import encoding_of
from agentops.server.ingest.imported import Imported, imported
from agentops.server.query.export import LINES, MEDIA, Exportable, exported_together
from agentops.server.query.filters import Filters
from agentops.server.query.scope import scope
from agentops.server.query.sessions import session, sessions
from agentops.server.query.traces import sessions_of
from agentops.server.store import edits

router = APIRouter(prefix="/api", tags=["transfer"], dependencies=[Depends(only_known)])

_PAGE: Final = 100
_FIELDS: Final = ("name", "tags", "add_tags", "remove_tags", "note")


@router.get(
    "/export",
    operation_id="exportSessions",
    response_model=None,
    responses={
        200: {
            "description": "The filtered sessions, complete, newest first: as JSON one document a line.",
            "content": {
                media: {
                    "schema": {"type": "object"}
                    if media == MEDIA["otlp"]
                    else {"type": "string", "format": "binary"}
                }
                for media in (LINES, MEDIA["otlp"], MEDIA["csv"], MEDIA["parquet"])
            },
        },
        **documented(None, 400),
    },
)
def export_sessions(
    request: Request,
    chosen: FilterQuery,
    form: Annotated[Literal["json", "otlp", "csv", "parquet"], Query(alias="format")] = "json",
) -> Response:
    """Return all sessions that pass the filters, complete, in one file."""
    here = rooms(request)
    own_writes(here)
    ending = {"json": "jsonl", "otlp": "otlp.json"}.get(form, form)
    return StreamingResponse(
        exported_together(here.store, _chosen(here, chosen), form),
        media_type=LINES if form == "json" else MEDIA[form],
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="sessions.{ending}"',
        },
    )


def _chosen(here: Rooms, filters: Filters) -> Iterator[Exportable]:
    cursor: str | None = None
    while True:
        page = sessions(here.store, filters, sort="started", order="desc", limit=_PAGE, cursor=cursor)
        for one in page.sessions:
            session_id = one["session_id"]
            where = scope(here.store, filters.project, session_id, filters.now_ns)
            whole = session(here.store, filters.project, session_id, filters.now_ns)
            # One that was deleted meanwhile is not there any more.
            if where is not None and whole is not None:
                yield Exportable(where, whole)
        cursor = page.next_cursor
        if cursor is None:
            return


@router.post(
    "/import",
    operation_id="importSessions",
    response_model=None,
    responses=documented(models.ImportResult, 400, 413, 415),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "One document: a session as `format=json` exports it, or an OTLP export request "
            "as JSON or protobuf. Content-Encoding: identity, gzip, deflate or zstd.",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "application/x-protobuf": {"schema": {"type": "string", "format": "binary"}},
            },
        }
    },
)
async def import_sessions(request: Request) -> Response:
    """Store what an export holds; a session that is there already is completed and replaced, not doubled."""
    here = rooms(request)
    encoding = encoding_of(request.headers.get("content-type", ""))
    project = project_of(request)

    def submitted(body: bytes) -> tuple[Imported, list[Future[None]]]:
        read = imported(body, encoding)
        waiting: list[Future[None]] = []
        if read.spans:
            waiting.append(here.ingest.spans(read.spans, project, seen=read.seen))
        if read.records:
            waiting.append(here.ingest.records(read.records, project, read.log_ids))
        return read, waiting

    read, waiting = await with_body(request, here, submitted)
    for one in waiting:
        await asyncio.shield(asyncio.wrap_future(one))
    return json(await to_thread.run_sync(lambda: _finished(here, project, read)))


def _finished(here: Rooms, project: str, read: Imported) -> dict[str, Any]:
    own_writes(here)
    for edit in read.edits:
        session_id = edit["session_id"]
        change = {name: edit[name] for name in _FIELDS if name in edit}
        if not change:
            continue
        try:
            said = models.SessionEdit(**change)
        except ValueError:
            raise ApiError(
                400,
                "malformed_body",
                f"edits: what it says of {session_id!r} cannot be used.",
                "An edit has a name, tags and a note, as PATCH /api/sessions/{id} takes them.",
            ) from None
        if session(here.store, project, session_id, now_ns()) is not None:
            known = {name: getattr(said, name) for name in said.model_fields_set}
            edits.edit(here.store, here.summariser, project, [session_id], known)
    return {
        "sessions": sessions_of(here.store, project, {span.trace_id for span in read.spans}),
        "spans": len(read.spans),
        "logs": len(read.records),
        "rejected": [{"reason": one.reason, "count": one.count} for one in read.rejected],
    }
