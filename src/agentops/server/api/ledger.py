"""The route of a session's ledger: what each process sent, what is stored, what is missing and why."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from agentops.server.api.answers import documented, json
from agentops.server.api.errors import no_such_session
from agentops.server.api.models import Exact
from agentops.server.api.parameters import only_known
from agentops.server.api.paths import SessionId
from agentops.server.api.state import now_ns, own_writes, project_of, rooms
from agentops.server.query.ledger import ledger
from agentops.server.query.scope import scope

router = APIRouter(prefix="/api/sessions/{session_id}", tags=["sessions"], dependencies=[Depends(only_known)])


class LedgerProcess(Exact):
    """One process's share of a session."""

    instance: str
    service: str | None
    pid: int | None
    sent: int = Field(description="the highest number that it gave to an event of the session")
    stored: int = Field(description="numbers that are stored")
    gaps: list[list[int]] = Field(description="the numbers that are not, as ranges: [first, last]")
    gaps_left_out: int = Field(description="missing numbers in ranges beyond the 1,000 that are listed")
    lost: dict[str, int] = Field(
        description="records that the process itself counted as lost, by reason, in all of its sessions"
    )
    first_at: str | None
    last_at: str | None


class SessionLedger(Exact):
    """What was sent and stored of a session, by process, and what is missing."""

    sent: int
    stored: int
    lost: dict[str, int] = Field(description="the processes' own counts of lost records, by reason")
    processes: list[LedgerProcess]


@router.get(
    "/ledger", operation_id="getLedger", response_model=None, responses=documented(SessionLedger, 404)
)
def get_ledger(request: Request, session_id: SessionId) -> Response:
    """Return what each process sent of a session, how much of it is stored, and the gaps."""
    here = rooms(request)
    own_writes(here)
    where = scope(here.store, project_of(request), session_id, now_ns())
    if where is None:
        raise no_such_session(session_id)
    return json(ledger(here.store, where))
