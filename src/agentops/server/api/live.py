"""The live route: server-sent events that name the sessions that changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from starlette.responses import StreamingResponse

from agentops.server.api.answers import documented
from agentops.server.api.parameters import only_known
from agentops.server.api.state import project_of, rooms

router = APIRouter(prefix="/api", tags=["live"], dependencies=[Depends(only_known)])


@router.get(
    "/live",
    operation_id="listen",
    response_model=None,
    responses={
        200: {
            "description": 'Frames `id: N` and `data: {"sessions": [...]}`; `*` among them means: '
            "look at everything.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **documented(None),
    },
)
async def listen(
    request: Request, last_event_id: Annotated[str | None, Header()] = None
) -> StreamingResponse:
    """Tell which sessions changed, as it happens. Last-Event-ID resumes after that notice."""
    here = rooms(request)
    last = int(last_event_id) if last_event_id and last_event_id.isdigit() else None
    return StreamingResponse(
        here.live.listen(project_of(request), last),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
