"""JSON bodies of the published clients: read as written, with what Python's own encoder lets through."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from fastapi import Request

from agentops.server.api.errors import ApiError
from agentops.server.api.otlp import with_body
from agentops.server.api.state import Rooms


async def object_of(request: Request, here: Rooms) -> dict[str, Any]:
    """Return the JSON object that a request posts.

    Raises:
        ApiError: 400, it posts none.
        Refused: it is too large, or compressed in a way that is not known.
        Full: more is being read than there is room for.
    """
    return await with_body(request, here, _read)


def _read(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        # NaN and lone surrogates, which are no JSON: such numbers become null, such halves of characters "?".
        lenient: Any = json.loads(body, parse_constant=lambda _: None)
        text = json.dumps(lenient, ensure_ascii=False).encode("utf-8", "replace")
        return msgspec.json.decode(text, type=dict[str, Any])
    except (ValueError, RecursionError) as error:
        raise ApiError(
            400,
            "malformed_body",
            f"The request body is no JSON object: {error}.",
            "Send one JSON object, encoded as UTF-8.",
        ) from None


def text_field(said: dict[str, Any], name: str) -> str:
    """Return a text that must be there.

    Raises:
        ApiError: 400, it is missing or no text.
    """
    value = said.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ApiError(400, "invalid_body", f"{name}: it is missing or no text.", f"Send {name} as text.")
    return value.strip()
