"""Answers: plain values or ready bytes out as JSON, and the models that document them."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from pydantic import BaseModel
from starlette.responses import Response

from agentops.server.api import models

_ENCODER: Final = msgspec.json.Encoder()


def json(value: Any, status: int = 200) -> Response:
    """Return a value as JSON."""
    return Response(_ENCODER.encode(value), status, {"Cache-Control": "no-store"}, "application/json")


def ready(body: bytes, media_type: str = "application/json") -> Response:
    """Return what is written already."""
    return Response(body, 200, {"Cache-Control": "no-store"}, media_type)


def documented(
    model: type[BaseModel] | None, *errors: int, description: str = "", other: str = ""
) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route: its 200 and the errors it may answer.

    Args:
        model: what the 200 holds.
        errors: the statuses of errors that not every route has.
        description: of the 200, if the model's does not do.
        other: a media type that the 200 has too, when asked for.
    """
    found: dict[int | str, dict[str, Any]] = {}
    if model is not None:
        found[200] = {"model": model, "description": description or (model.__doc__ or "").partition("\n")[0]}
        if other:
            found[200]["content"] = {other: {"schema": {"type": "string", "format": "binary"}}}
    for status in sorted({*errors, 400, 401, 403, 405, 429, 500, 503}):
        found[status] = {"model": models.Error, "description": WHEN.get(status, "error")}
    return found


WHEN: Final = {
    400: "A parameter or the body cannot be read.",
    401: "The request has no key of this server (with --auth).",
    403: "The request comes from another site, names another host, or its key has not the scope.",
    404: "There is no such thing.",
    405: "The route does not take this method.",
    413: "The body is larger than the limit.",
    415: "The content type or encoding is not accepted.",
    422: "The body has a field that cannot be used.",
    409: "It contradicts what there is.",
    429: "Too much, or too often; Retry-After says when to try again.",
    500: "The server failed.",
    503: "The server is starting or cannot keep up; Retry-After says when to try again.",
}
"""What each status of an error means."""
