"""Routes about the store itself: its size and growth, merging it, how long it keeps sessions."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from agentops import config
from agentops.errors import SettingError
from agentops.server.api import models
from agentops.server.api.answers import documented, json
from agentops.server.api.errors import ApiError
from agentops.server.api.parameters import moment_of, only_known
from agentops.server.api.state import Rooms, caller_of, now_ns, project_of, rooms
from agentops.server.auth.caller import ADMIN, lacking, not_everywhere
from agentops.server.pricelist import own_prices
from agentops.server.query.export import LINES
from agentops.server.store.growth import applied, growth
from agentops.server.store.reprice import reprice
from agentops.server.store.shared_prices import HEARD_S
from agentops.server.store.upkeep import check_compactable, compact, sizes

router = APIRouter(prefix="/api/store", tags=["store"], dependencies=[Depends(only_known)])
_TELL_S: Final = 3.0
_SETTLE_S: Final = 60.0


class Retention(models.Exact):
    """How many days a project's sessions are kept; 0: as the setting retention_days says."""

    days: Annotated[int, Field(ge=0, le=36_500, examples=[30])]


class Reprice(models.Exact):
    """Which calls to price anew."""

    since: Annotated[
        str | None, Field(max_length=64, examples=["30d"], description="those that began at or after")
    ] = None
    everywhere: bool = Field(False, description="those of all projects; needs an admin key of the first one")


_EVERY_CALL: Final = Reprice(since=None, everywhere=False)


def _whole_store(request: Request) -> Rooms:
    """Return the rooms for who may know of all projects."""
    here = rooms(request)
    caller = caller_of(request)
    if not caller.everywhere:
        raise lacking(ADMIN, caller) if not caller.may(ADMIN) else not_everywhere()
    return here


@router.get("", operation_id="getStore", response_model=None, responses=documented(models.StoreSizes))
def get_store(request: Request) -> Response:
    """Return what the store holds: tables, migrations, bytes on disk, what arrived lately."""
    here = _whole_store(request)
    size = sizes(here.store)
    return json(
        {
            "url": str(here.store.url),
            "engine": here.store.answer("SELECT version()", form="TSV").decode().strip(),
            "bytes": size.bytes,
            "replaced_bytes": size.replaced_bytes,
            "spans": size.spans,
            "sessions": size.sessions,
            "tables": size.tables,
            "migrations": applied(here.store),
            "growth": growth(here.store),
            "retention_days": here.auth.projects.named(project_of(request)).retention_days,
            "default_retention_days": config.read("retention_days"),
        }
    )


@router.post(
    "/compact",
    operation_id="compactStore",
    response_model=None,
    responses={
        200: {
            "description": "One JSON object a line: the store's bytes on disk, now and when it is done.",
            "content": {LINES: {"schema": {"type": "string"}}},
        },
        **documented(None),
    },
)
def compact_store(request: Request) -> Response:
    """Merge every table into as few parts as it can be; takes the time of rewriting the store once."""
    here = _whole_store(request)
    check_compactable(here.store)
    return _told(lambda _: compact(here.store), lambda: {"bytes": sizes(here.store).bytes})


def _told(work: Callable[[Callable[[Any], None]], Any], now: Callable[[], Any] | None = None) -> Response:
    """Return an answer that says how far work is, a JSON object a line, and fails when it does.

    Args:
        work: what to do; it is called with what takes its progress.
        now: what to say every few seconds, for work that says nothing itself.
    """
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()
    done = object()

    def run() -> None:
        try:
            said = work(told.put)
            told.put(said if now is None else now())
        except Exception as error:
            told.put(error)
        told.put(done)

    def lines() -> Iterator[bytes]:
        if now is not None:
            yield msgspec.json.encode(now()) + b"\n"
        threading.Thread(target=run, name="agentops-upkeep", daemon=True).start()
        while True:
            try:
                one = told.get(timeout=None if now is None else _TELL_S)
            except queue.Empty:
                one = now() if now is not None else None
            if one is done:
                return
            if isinstance(one, Exception):
                raise one
            yield msgspec.json.encode(one) + b"\n"

    return StreamingResponse(lines(), media_type=LINES, headers={"Cache-Control": "no-store"})


@router.post(
    "/reprice",
    operation_id="repriceCalls",
    response_model=None,
    responses={
        200: {
            "description": "One JSON object a line: calls looked at so far, calls whose cost changed.",
            "content": {LINES: {"schema": {"type": "string"}}},
        },
        **documented(None, 400, 422),
    },
)
def reprice_calls(request: Request, body: Reprice = _EVERY_CALL) -> Response:
    """Compute what calls cost anew, with the prices in force and one's own; reported costs stay."""
    here = rooms(request) if not body.everywhere else _whole_store(request)
    project = None if body.everywhere else project_of(request)
    since_ns = moment_of("since", body.since, now_ns()) or 0
    try:
        own = own_prices(here.home, config.read("prices"))
    except SettingError as error:
        raise ApiError(400, "invalid_prices", str(error), "Mend the file and try again.") from None

    must_hear = here.prices.renew(own)

    def work(tell: Callable[[Any], None]) -> Any:
        if must_hear:
            # What other servers price until they have heard is stored by then, and priced anew with the rest.
            time.sleep(HEARD_S)
        here.ingest.settle(_SETTLE_S)
        return reprice(here.store, here.summariser, project=project, since_ns=since_ns, on_progress=tell)

    return _told(work)


@router.put(
    "/retention",
    operation_id="setRetention",
    response_model=None,
    responses=documented(models.RetentionResult, 400, 422),
)
def set_retention(request: Request, body: Retention) -> Response:
    """Say how many days the project's sessions are kept; older ones are deleted in the background."""
    here = rooms(request)
    project = here.auth.projects.named(project_of(request))
    here.auth.projects.keep(project, body.days)
    return json({"project": project.project, "days": body.days})
