"""Routes that move sessions between stores: export of many, import."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from agentops.server.api import models
from agentops.server.api.answers import documented, json
from agentops.server.api.errors import ApiError
from agentops.server.api.otlp import with_body
from agentops.server.api.parameters import FilterQuery, only_known
from agentops.server.api.state import Rooms, now_ns, own_writes, project_of, rooms
from agentops.server.ingest.body import encoding_of
from agentops.server.ingest.imported import Imported, imported
from agentops.server.query.archive import ZIP, archived
from agentops.server.query.export import LINES, MEDIA, exported_together
from agentops.server.query.sessions import session as one_session
from agentops.server.query.together import exportables
from agentops.server.query.traces import sessions_of
from agentops.server.store import edits

router = APIRouter(prefix="/api", tags=["transfer"], dependencies=[Depends(only_known)])

_FIELDS: Final = ("name", "tags", "add_tags", "remove_tags", "note")
_MOST_TAGS: Final = 100_000
"""Edits of one session together may say more than one of them may."""


class _Edit(models.SessionEdit):
    add_tags: list[models.NewTag] = Field([], max_length=_MOST_TAGS)
    remove_tags: list[models.Tag] = Field([], max_length=_MOST_TAGS)


@router.get(
    "/export",
    operation_id="exportSessions",
    response_model=None,
    responses={
        200: {
            "description": "The filtered sessions, complete, newest first: as JSON one document a line; "
            "with `each` a zip archive.",
            "content": {
                media: {
                    "schema": {"type": "object"}
                    if media == MEDIA["otlp"]
                    else {"type": "string", "format": "binary"}
                }
                for media in (LINES, MEDIA["otlp"], MEDIA["csv"], MEDIA["parquet"], ZIP)
            },
        },
        **documented(None, 400),
    },
)
def export_sessions(
    request: Request,
    chosen: FilterQuery,
    form: Annotated[
        Literal["json", "otlp", "csv", "parquet", "html"],
        Query(alias="format", description="html: with `each` only, for a page holds one session"),
    ] = "json",
    session: Annotated[
        list[str] | None, Query(description="repeatable: these by their ids, those of them that there are")
    ] = None,
    each: Annotated[bool, Query(description="a file for each session, in a zip archive")] = False,
) -> Response:
    """Return all sessions that pass the filters, complete, in one file or in one archive of files."""
    here = rooms(request)
    own_writes(here)
    if form == "html" and not each:
        hint = "Ask for each=true, an archive with a page for each, or for GET /api/sessions/{id}/export."
        raise ApiError(400, "invalid_parameter", "format: a page holds one session.", hint)
    found = exportables(here.store, replace(chosen, session=session or []))
    media = ZIP if each else LINES if form == "json" else MEDIA[form]
    ending = "zip" if each else {"json": "jsonl", "otlp": "otlp.json"}.get(form, form)
    return StreamingResponse(
        (archived if each else exported_together)(here.store, found, form),
        media_type=media,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="sessions.{ending}"',
        },
    )


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
            waiting.append(here.ingest.records(read.records, project, read.log_ids, read.came_at))
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
            said = _Edit(**change)
        except ValueError:
            raise ApiError(
                400,
                "malformed_body",
                f"edits: what it says of {session_id!r} cannot be used.",
                "An edit has a name, tags and a note, as PATCH /api/sessions/{id} takes them.",
            ) from None
        if one_session(here.store, project, session_id, now_ns()) is not None:
            known = {name: getattr(said, name) for name in said.model_fields_set}
            edits.edit(here.store, here.summariser, project, [session_id], known, most_tags=_MOST_TAGS)
    return {
        "sessions": sessions_of(here.store, project, {span.trace_id for span in read.spans}),
        "spans": len(read.spans),
        "logs": len(read.records),
        "rejected": [{"reason": one.reason, "count": one.count} for one in read.rejected],
    }
