"""The live route: server-sent events that name the sessions that changed."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Request
from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from agentops.server.api.answers import documented
from agentops.server.api.parameters import only_known
from agentops.server.api.state import caller_of, rooms

_log: Final = logging.getLogger("agentops.server")
_STUCK_S: Final = 10
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

router = APIRouter(prefix="/api", tags=["live"], dependencies=[Depends(only_known)])


class _Frames(StreamingResponse):
    """Frames for one listener; one that takes none for long is dropped, not awaited."""

    async def stream_response(self, send: Send) -> None:
        """Send frames until they end or one is stuck."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(_STUCK_S):
                await send(message)

        frames = self.body_iterator
        try:
            await super().stream_response(send_in_time)
        except TimeoutError:
            _log.info("A live listener that took nothing for %d s was dropped", _STUCK_S)
        finally:
            if isinstance(frames, AsyncGenerator):
                await frames.aclose()


@router.head("/live", include_in_schema=False)
def listen_headers() -> StreamingResponse:
    """Answer with the headers of a stream, which would not end."""
    return _Frames(_nothing(), media_type="text/event-stream", headers=_HEADERS)


async def _nothing() -> AsyncGenerator[str]:
    for frame in ():
        yield frame


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
    last = int(last_event_id) if last_event_id and re.fullmatch("[0-9]{1,18}", last_event_id) else None
    caller = caller_of(request)
    return _Frames(
        here.live.listen(caller.project, last, lambda: here.auth.still(caller)),
        media_type="text/event-stream",
        headers=_HEADERS,
    )
