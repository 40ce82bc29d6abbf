"""One shape for every error: {"error": {"code", "message", "hint"}}. Messages name the field and the fix."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from agentops.errors import StoreError
from agentops.otlp.refusal import MalformedBody
from agentops.server.auth import Denied
from agentops.server.ingest import Refused
from agentops.server.query.cursors import BadCursor
from agentops.server.store.disk import NoRoom
from agentops.server.store.remote import DiskFull
from agentops.server.store.write import Full

_log: Final = logging.getLogger("agentops.server")
API_PREFIXES: Final = ("/api/", "/v1/", "/v2/", "/v3/", "/v4/", "/public/")
"""What begins so is the API's, never a page of the dashboard."""
_HINTS: Final = {"min_cost": "Use a number of US dollars, 0 or more."}
"""The fix of what has a unit that nobody guesses."""


class ApiError(Exception):
    """An answer other than success."""

    def __init__(
        self, status: int, code: str, message: str, hint: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.headers = headers


def no_such_session(session_id: str) -> ApiError:
    """Return the 404 for a session."""
    return ApiError(
        404,
        "session_not_found",
        f"There is no session {session_id!r}.",
        "GET /api/sessions lists the sessions there are.",
    )


def answer(
    status: int, code: str, message: str, hint: str = "", headers: dict[str, str] | None = None
) -> Response:
    """Return an error response."""
    body = msgspec.json.encode({"error": {"code": code, "message": message, "hint": hint}})
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def install(app: FastAPI) -> None:
    """Make every error of the app take the one shape."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(Denied, _api_error)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(MalformedBody, _malformed)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Full, _full)
    app.add_exception_handler(StoreError, _store)
    app.add_exception_handler(BadCursor, _bad_cursor)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _api_error(_: Request, error: Any) -> Response:
    return answer(error.status, error.code, error.message, error.hint, error.headers)


async def _refused(_: Request, error: Any) -> Response:
    headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    return answer(error.status, error.code, error.message, error.hint, headers)


async def _malformed(_: Request, error: Any) -> Response:
    return answer(
        400,
        "malformed_body",
        f"The request body cannot be read: {error}",
        "Send an OTLP export request in the encoding that Content-Type names.",
    )


async def _gone(request: Request, _: Any) -> Response:
    """Whoever asked has left in the middle of the request: nobody reads this, and nothing went wrong here."""
    _log.debug("%s %s: the client left before its request was whole.", request.method, request.url.path)
    return answer(400, "cut_off", "The request ended before its body was whole.", "Send it again.")


async def _full(_: Request, error: Any) -> Response:
    return answer(
        503,
        "overloaded",
        str(error),
        "Send the same batch again after Retry-After seconds; nothing of it was stored.",
        {"Retry-After": str(error.retry_after_s)},
    )


async def _store(_: Request, error: Any) -> Response:
    _log.warning("The store failed a request: %s", error)
    if isinstance(error, DiskFull):
        return answer(
            503,
            "disk_full",
            str(error) if isinstance(error, NoRoom) else "The store's disk is full.",
            "Free space there and ask again; nothing of this was done. /readyz says when the store is back.",
            {"Retry-After": str(error.retry_after_s)},
        )
    return answer(
        503,
        "store_unavailable",
        "The store does not take this now.",
        "Try again after Retry-After seconds; nothing of this request was stored. /readyz says when the "
        "store is back.",
        {"Retry-After": str(getattr(error, "retry_after_s", 2))},
    )


async def _bad_cursor(_: Request, __: Any) -> Response:
    return answer(
        400,
        "invalid_parameter",
        "cursor: it was not made for this list and order.",
        "Use next_cursor of the previous page with the same sort, order and filters, or leave it out.",
    )


async def _invalid(request: Request, error: Any) -> Response:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return _no_json(request)
    place = [str(part) for part in first["loc"]]
    sent_as = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if place == ["body"] and not (sent_as == "application/json" or sent_as.endswith("+json")):
        return answer(
            415,
            "unsupported_media_type",
            f"Content-Type: {sent_as or 'none'} is not taken here.",
            "Send a JSON object with Content-Type: application/json.",
        )
    where = place[0] if place else "request"
    # Of a repeatable parameter it is the name that its sender knows, not which of its values.
    name = ".".join(place[1:] if where == "body" else place[1:2]) or where
    return answer(
        422 if where == "body" else 400,
        "invalid_body" if where == "body" else "invalid_parameter",
        f"{name}: {first['msg']}.",
        _HINTS.get(name, f"See /openapi.json for what {name} may be."),
    )


def _no_json(request: Request) -> Response:
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        return answer(
            415,
            "unsupported_encoding",
            f"Content-Encoding {encoding!r} is not accepted here.",
            "Send the JSON object as it is, without compression.",
        )
    return answer(
        400, "malformed_body", "The request body is not JSON.", "Send a JSON object, encoded as UTF-8."
    )


async def _http(request: Request, error: Any) -> Response:
    status: int = error.status_code
    if status == 400 and isinstance(error.__cause__, UnicodeDecodeError):
        return _no_json(request)
    if isinstance(error.__cause__, Denied):
        # Said while the framework was reading a body.
        return await _api_error(request, error.__cause__)
    headers: dict[str, str] = dict(error.headers or {})
    path = request.url.path
    if status in (404, 405) and path.startswith(API_PREFIXES):
        # The dashboard answers every GET that no route takes; what is missing here is a route or only a
        # method.
        allowed = _methods_of(request.app, path)
        status = 405 if allowed and request.method not in allowed else 404
        headers = {"Allow": ", ".join(allowed)} if status == 405 else {}
    if status == 404:
        return answer(
            404,
            "not_found",
            f"There is no route {request.method} {path}.",
            "GET /openapi.json lists the routes.",
        )
    if status == 405:
        methods = headers.get("Allow", "")
        return answer(
            405,
            "method_not_allowed",
            f"{path} does not take {request.method}.",
            f"Use {methods}." if methods else "GET /openapi.json lists the routes.",
            headers,
        )
    phrase = HTTPStatus(status).phrase
    return answer(status, phrase.lower().replace(" ", "_"), str(error.detail or phrase), "", headers)


def _methods_of(app: FastAPI, path: str) -> list[str]:
    """Return the methods that the API takes at a path."""
    routes: list[tuple[re.Pattern[str], list[str]]] | None = getattr(app.state, "api_routes", None)
    if routes is None:
        paths: dict[str, dict[str, Any]] = app.openapi()["paths"]
        routes = app.state.api_routes = [
            (
                re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template)) + "$"),
                sorted(map(str.upper, methods)),
            )
            for template, methods in paths.items()
        ]
    for pattern, methods in routes:
        if pattern.match(path):
            return methods
    return []


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answer(
        500,
        "internal_error",
        "The server failed to answer this request.",
        "The server's log has the details; try again.",
    )
