"""Routes about who asks: signing in and out, the keys and projects that there are, the audit log."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from agentops.errors import AgentOpsError
from agentops.server.api.answers import documented, json
from agentops.server.api.errors import ApiError
from agentops.server.api.gate import address_of, shown, shows_something
from agentops.server.api.models import Exact
from agentops.server.api.parameters import only_known
from agentops.server.api.state import Rooms, caller_of, rooms
from agentops.server.auth import Auth, Caller, Denied
from agentops.server.auth.keys import Key, NoSuchKey, scope_of
from agentops.server.auth.projects import NoSuchProject, Project
from agentops.server.auth.registry import COOKIE
from agentops.server.auth.shown import shown_key, shown_project
from agentops.server.auth.signins import LIFE_S

router = APIRouter(prefix="/api", tags=["account"], dependencies=[Depends(only_known)])
_DAY_NS: Final = 86_400 * 10**9


class ProjectInfo(Exact):
    """A project."""

    project_id: str
    name: str
    created_at: str | None


class Me(Exact):
    """Who asks, and what they may do."""

    auth: bool = Field(description="whether this server takes keys; without, everybody may do everything")
    signed_in: bool
    project: ProjectInfo | None
    scopes: list[str]
    key_id: str | None
    projects: list[ProjectInfo] = Field(description="the projects that a signed-in page may switch to")


class KeyInfo(Exact):
    """A key, without the key."""

    key_id: str = Field(description="its first 8 characters")
    name: str
    project_id: str
    scopes: list[str]
    created_at: str | None
    expires_at: str | None
    last_used_at: str | None
    quota_bytes_per_minute: int | None
    state: str = Field(description="active, expired or revoked")


class NewKey(KeyInfo):
    """A key that was made just now: the only time it is seen."""

    key: str


class Keys(Exact):
    """The keys of a project."""

    keys: list[KeyInfo]


class Projects(Exact):
    """The projects that the caller may manage."""

    projects: list[ProjectInfo]


class AuditLines(Exact):
    """Lines of the audit log, newest first."""

    lines: list[dict[str, Any]]


class SignIn(BaseModel):
    """What signing in takes."""

    key: str = Field(min_length=1, max_length=200)


class KeyWish(BaseModel):
    """What a new key should be."""

    name: str = Field(default="", max_length=100, pattern=r"^[^\x00-\x1f]*$")
    scope: str = Field(
        default="record,read", max_length=50, description="record, read, admin; several by commas"
    )
    project: str = Field(default="", max_length=100, description="name or id; the caller's own when empty")
    expires_in_days: float | None = Field(default=None, gt=0, le=36_500)
    quota_bytes_per_minute: int | None = Field(default=None, ge=1, le=10**15)


class Name(BaseModel):
    """A project's name."""

    name: str = Field(min_length=1, max_length=100)


class Chosen(BaseModel):
    """The project to look at."""

    project: str = Field(min_length=1, max_length=100, description="name or id")


# Signing in.


@router.get("/me", operation_id="getMe", response_model=None, responses=documented(Me))
def get_me(request: Request) -> Response:
    """Say who asks: needs no key, and then says that nobody is signed in."""
    here = rooms(request)
    return json(_me(here, _whoever(here, request)))


@router.post(
    "/sign-in", operation_id="signIn", response_model=None, responses=documented(Me, 400, 401, 422, 429)
)
def sign_in(request: Request, body: SignIn) -> Response:
    """Open the dashboard with a key: sets a cookie that no script can read."""
    here = rooms(request)
    auth = _auth(here)
    if not auth.required:
        return json(_me(here, caller_of(request)))
    address = address_of(request.scope)
    if auth.keys.find(body.key) is None:
        auth.look_again(time.monotonic())
    key = auth.exchange(body.key, address)
    if key is None:
        raise ApiError(
            401,
            "unauthorised",
            "This is no key of this server, or it has ended or was revoked.",
            "`agentops keys create` makes one.",
        )
    if not {"read", "admin"} & key.scopes:
        raise ApiError(
            403,
            "scope_missing",
            "This key may record only.",
            "Sign in with a key of the scope read or admin.",
        )
    before = _whoever(here, request)
    if before is not None and before.sign_in:
        auth.sign_ins.end(before.sign_in)
    cookie, _ = auth.sign_ins.open(key)
    auth.audit.note("sign_in", key=key.prefix, address=address, project=key.project)
    answer = json(_me(here, auth.authenticate({"cookie": f"{COOKIE}={cookie}"})))
    answer.set_cookie(
        COOKIE,
        cookie,
        max_age=LIFE_S,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post(
    "/sign-out", operation_id="signOut", status_code=204, response_model=None, responses=documented(None)
)
def sign_out(request: Request) -> Response:
    """End the sign-in, on the server."""
    here = rooms(request)
    caller = caller_of(request)
    if caller.sign_in:
        _auth(here).sign_ins.end(caller.sign_in)
        _auth(here).audit.note(
            "sign_out", key=caller.key_id, address=address_of(request.scope), project=caller.project
        )
        _auth(here).on_ended()
    answer = Response(status_code=204)
    answer.delete_cookie(
        COOKIE, path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict"
    )
    return answer


# Keys.


@router.get("/keys", operation_id="listKeys", response_model=None, responses=documented(Keys, 400, 404))
def list_keys(
    request: Request, project: Annotated[str, Query(max_length=100, description="name or id")] = ""
) -> Response:
    """List a project's keys, newest first; never the keys themselves."""
    here = rooms(request)
    wanted = _project(here, caller_of(request), project)
    return json({"keys": [shown_key(key) for key in _auth(here).keys.listed(wanted.project)]})


@router.post(
    "/keys",
    operation_id="createKey",
    status_code=201,
    response_model=None,
    responses={201: {"model": NewKey, "description": "made"}, **documented(None, 400, 404, 422)},
)
def create_key(request: Request, body: KeyWish) -> Response:
    """Make a key. The answer holds it, this once."""
    here = rooms(request)
    caller = caller_of(request)
    wanted = _project(here, caller, body.project)
    expires = time.time_ns() + int(body.expires_in_days * _DAY_NS) if body.expires_in_days else 0
    try:
        scope = scope_of(body.scope.split(","))
    except AgentOpsError as error:
        raise ApiError(422, "invalid_body", *_told(error)) from None
    text, key = _auth(here).keys.create(
        wanted.project, body.name, scope, expires_at=expires, quota_bytes=body.quota_bytes_per_minute or 0
    )
    _noted(here, request, "key.created", created=key.prefix, scope=key.scope, project=key.project)
    return json({**shown_key(key), "key": text}, 201)


@router.post(
    "/keys/{key_id}/rotate",
    operation_id="rotateKey",
    status_code=201,
    response_model=None,
    responses={201: {"model": NewKey, "description": "made"}, **documented(None, 404)},
)
def rotate_key(request: Request, key_id: str) -> Response:
    """Make a key that takes another's place, which ends at once."""
    here = rooms(request)
    key = _named(here, caller_of(request), key_id)
    try:
        text, fresh = _auth(here).keys.rotate(key)
    except NoSuchKey:
        raise ApiError(
            404, "key_not_found", f"The key {key.prefix!r} has ended.", "POST /api/keys makes a new one."
        ) from None
    _auth(here).on_ended()
    _noted(here, request, "key.rotated", revoked=key.prefix, created=fresh.prefix, project=key.project)
    return json({**shown_key(fresh), "key": text}, 201)


@router.delete(
    "/keys/{key_id}", operation_id="revokeKey", response_model=None, responses=documented(KeyInfo, 404)
)
def revoke_key(request: Request, key_id: str) -> Response:
    """End a key at once, with every token and sign-in made from it."""
    here = rooms(request)
    key = _auth(here).keys.revoke(_named(here, caller_of(request), key_id))
    _auth(here).on_ended()
    _noted(here, request, "key.revoked", revoked=key.prefix, project=key.project)
    return json(shown_key(key))


# Projects.


@router.get("/projects", operation_id="listProjects", response_model=None, responses=documented(Projects))
def list_projects(request: Request) -> Response:
    """List the projects that the caller may manage."""
    here = rooms(request)
    return json({"projects": [shown_project(one) for one in _visible(here, caller_of(request))]})


@router.post(
    "/projects",
    operation_id="createProject",
    status_code=201,
    response_model=None,
    responses={201: {"model": ProjectInfo, "description": "made"}, **documented(None, 400, 409, 422)},
)
def create_project(request: Request, body: Name) -> Response:
    """Make a project."""
    here = rooms(request)
    _everywhere(caller_of(request))
    try:
        made = _auth(here).projects.create(body.name)
    except AgentOpsError as error:
        raise _conflict(error) from None
    _noted(here, request, "project.created", project=made.project, name=made.name)
    return json(shown_project(made), 201)


@router.post(
    "/projects/switch",
    operation_id="switchProject",
    response_model=None,
    responses=documented(Me, 400, 404, 422),
)
def switch_project(request: Request, body: Chosen) -> Response:
    """Let the signed-in page look at another project."""
    here = rooms(request)
    caller = caller_of(request)
    wanted = _project(here, caller, body.project)
    if caller.sign_in:
        _auth(here).sign_ins.switch(caller.sign_in, wanted.project)
        _auth(here).on_ended()
        _noted(here, request, "project.switched", project=wanted.project)
    return json(_me(here, _whoever(here, request)))


@router.patch(
    "/projects/{project_id}",
    operation_id="renameProject",
    response_model=None,
    responses=documented(ProjectInfo, 400, 404, 409, 422),
)
def rename_project(request: Request, project_id: str, body: Name) -> Response:
    """Give a project another name."""
    here = rooms(request)
    wanted = _project(here, caller_of(request), project_id)
    try:
        renamed = _auth(here).projects.rename(wanted, body.name)
    except AgentOpsError as error:
        raise _conflict(error) from None
    _noted(here, request, "project.renamed", project=renamed.project, name=renamed.name)
    return json(shown_project(renamed))


@router.delete(
    "/projects/{project_id}",
    operation_id="deleteProject",
    status_code=204,
    response_model=None,
    responses=documented(None, 404, 409),
)
def delete_project(request: Request, project_id: str) -> Response:
    """Remove a project, its keys, and everything that was recorded in it."""
    here = rooms(request)
    caller = caller_of(request)
    wanted = _project(here, caller, project_id)
    _everywhere(caller)
    try:
        _auth(here).delete_project(wanted, lambda: here.summariser.caught_up(5.0))
    except AgentOpsError as error:
        raise _conflict(error) from None
    _noted(here, request, "project.deleted", project=wanted.project, name=wanted.name)
    return Response(status_code=204)


@router.get("/audit", operation_id="listAudit", response_model=None, responses=documented(AuditLines, 400))
def list_audit(request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 200) -> Response:
    """List what happened to keys and projects; an admin of one project sees what is about it."""
    here = rooms(request)
    caller = caller_of(request)
    lines = [
        line
        for line in _auth(here).audit.lines(2000)
        if caller.everywhere or line.get("project") == caller.project
    ]
    return json({"lines": lines[:limit]})


def _auth(here: Rooms) -> Auth:
    here.auth.load()
    return here.auth


def _whoever(here: Rooms, request: Request) -> Caller | None:
    headers = shown(request.scope)
    for tries_left in (1, 0):
        try:
            return _auth(here).authenticate(headers)
        except Denied:
            if tries_left and shows_something(headers):
                _auth(here).look_again(time.monotonic())
    return None


def _me(here: Rooms, caller: Caller | None) -> dict[str, Any]:
    if caller is None:
        return {
            "auth": True,
            "signed_in": False,
            "project": None,
            "scopes": [],
            "key_id": None,
            "projects": [],
        }
    own = next((one for one in _auth(here).projects.listed() if one.project == caller.project), None)
    return {
        "auth": _auth(here).required,
        "signed_in": bool(caller.sign_in),
        "project": shown_project(own) if own else None,
        "scopes": sorted(caller.scopes),
        "key_id": caller.key_id or None,
        "projects": [shown_project(one) for one in _visible(here, caller)],
    }


def _visible(here: Rooms, caller: Caller) -> list[Project]:
    return [
        one for one in _auth(here).projects.listed() if caller.everywhere or one.project == caller.project
    ]


def _project(here: Rooms, caller: Caller, wanted: str) -> Project:
    """Return the project that is meant: the caller's, or another that they may manage."""
    for one in _visible(here, caller):
        if wanted in (one.project, one.name) or (not wanted and one.project == caller.project):
            return one
    raise ApiError(
        404, "project_not_found", f"There is no project {wanted!r}.", "GET /api/projects lists the projects."
    )


def _everywhere(caller: Caller) -> None:
    if not caller.everywhere:
        raise ApiError(
            403,
            "scope_missing",
            "Projects are made and deleted with an admin key of the server's first project.",
            "Use that key, or `agentops projects` on the server's machine.",
        )


def _named(here: Rooms, caller: Caller, key_id: str) -> Key:
    try:
        return _auth(here).keys.named(key_id, None if caller.everywhere else caller.project)
    except NoSuchKey:
        raise ApiError(
            404,
            "key_not_found",
            f"There is no key {key_id[:8]!r}.",
            "GET /api/keys lists the keys there are.",
        ) from None


def _conflict(error: AgentOpsError) -> ApiError:
    missing = isinstance(error, NoSuchProject)
    return ApiError(404 if missing else 409, "project_not_found" if missing else "conflict", *_told(error))


def _told(error: AgentOpsError) -> tuple[str, str]:
    """Return what an error says, and its last sentence, the fix, as a hint."""
    what, _, fix = str(error).rpartition(". ")
    return f"{what}.", fix


def _noted(here: Rooms, request: Request, what: str, **said: Any) -> None:
    _auth(here).audit.note(what, by=caller_of(request).key_id, address=address_of(request.scope), **said)
