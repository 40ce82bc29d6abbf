"""With keys, every route answers for the caller's project only.

The routes are those of the OpenAPI document: one that is added is tried here without being named.
"""

from __future__ import annotations

import itertools
import re
import statistics
import time
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest

from tests.serving import Server
from tests.spans import body, span

SECRET: Final = "zq-secret-of-project-b"
"""Text in everything that project B recorded; no answer to anybody else may hold it."""
TRACE: Final = 0xB0B
SESSION: Final = "session-zq-secret-of-project-b"
OPEN: Final = {
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/api/me"),
    ("post", "/api/sign-in"),
    ("post", "/v3/auth/token"),
    ("post", "/public/v1/auth/access_token"),
}
"""What may be asked without a key: who runs, and how to show one."""


class Two:
    """A server with two projects; B has recorded, A has not."""

    def __init__(self, server: Server) -> None:
        self.server = server
        found = re.search(r"shown only now: (\S+)", "".join(server.log))
        assert found
        self.owner = found[1]
        made = self.post("/api/projects", self.owner, {"name": "B"})
        self.b = self.key("B", "admin")
        self.post("/api/projects", self.owner, {"name": "A"})
        self.a = self.key("A", "admin")
        self.a_record = self.key("A", "record")
        self.a_read = self.key("A", "read")
        self.b_record = self.key("B", "record")
        self.revoked = self.key("B", "admin")
        self.b_project = made["project_id"]
        self.http("delete", f"/api/keys/{self.revoked[:8]}", self.owner)
        answer = server.http.post(
            "/v1/traces", json=_recorded(), headers={"Authorization": f"Bearer {self.b}"}
        )
        assert answer.status_code == 200, answer.text
        log = {
            "traceId": f"{TRACE:032x}",
            "timeUnixNano": "1790000000000000000",
            "body": {"stringValue": SECRET},
        }
        logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [log]}]}]}
        assert self.http("post", "/v1/logs", self.b, json=logs).status_code == 200
        upload = self.http("post", "/v4/objects/upload/", self.b, json={"body": SECRET})
        self.object_id = upload.json()["url"].rpartition("/")[2]

    def http(self, method: str, path: str, key: str | None, **more: Any) -> httpx.Response:
        headers = {"X-Agentops-Api-Key": key} if key else {}
        return self.server.http.request(method, path, headers=headers, **more)

    def post(self, path: str, key: str, value: Any) -> Any:
        answer = self.http("post", path, key, json=value)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def key(self, project: str, scope: str) -> str:
        return self.post(
            "/api/keys", self.owner, {"project": project, "scope": scope, "name": f"{project} key"}
        )["key"]

    def values(self) -> dict[str, str]:
        """Return what stands in the paths' places: all of it B's."""
        return {
            "session_id": SESSION,
            "event_id": f"{2:016x}",
            "trace_id": f"{TRACE:032x}",
            "span_id": f"{2:016x}",
            "object_id": self.object_id,
            "key_id": self.b[:8],
            "project_id": self.b_project,
        }


def _recorded() -> dict[str, Any]:
    return body(
        span(
            TRACE, 1, name=SECRET, session__id=SESSION, agentops__span__kind="session", agentops__tags=SECRET
        ),
        span(
            TRACE, 2, 1, name=SECRET, gen_ai__operation__name="chat", gen_ai__request__model=SECRET,
            gen_ai__agent__name=SECRET, user__id=SECRET, agentops__entity__input=SECRET, error=SECRET,
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    server = Server(tmp_path_factory.mktemp("home"), arguments=("--port", "0", "--auth"))
    try:
        yield Two(server)
    finally:
        server.close()


def _routes(two: Two) -> list[tuple[str, str, str]]:
    """Return (method, path as documented, path with B's ids in it) of every route."""
    document = two.server.get("/openapi.json")
    found: list[tuple[str, str, str]] = []
    known = two.values()
    for path, methods in document["paths"].items():
        places = re.findall(r"\{(\w+)\}", path)
        missing = [place for place in places if place not in known]
        # A place that is new here: any of B's ids may stand in it.
        fillings = itertools.product(
            *([known[place]] if place in known else known.values() for place in places)
        )
        for filling in fillings if missing else [tuple(known[place] for place in places)]:
            filled = path
            for place, value in zip(places, filling, strict=True):
                filled = filled.replace(f"{{{place}}}", value)
            found += [(method, path, filled) for method in methods]
    assert len(found) > 40
    return found


def _asked(two: Two, method: str, path: str, key: str | None) -> httpx.Response | None:
    """Return the answer, or None for an endless one, whose beginning is all that there is to see."""
    body_of: dict[str, Any] = {}
    if method in ("post", "patch", "put"):
        body_of = {"json": _fitting(path)}
    if path == "/api/live":
        headers = {"X-Agentops-Api-Key": key} if key else {}
        with two.server.http.stream(method, path, headers=headers) as answer:
            if answer.status_code != 200:
                answer.read()
                return answer
        return None
    return two.http(method, path, key, **body_of)


def _fitting(path: str) -> dict[str, Any]:
    """Return a body that names B's things wherever a body can."""
    if path == "/api/sessions/delete":
        return {"sessions": [SESSION]}
    if path.startswith("/api/sessions/"):
        return {"tags": ["seen"]}
    if path == "/api/sessions":
        return {"sessions": [SESSION], "add_tags": ["seen"]}
    return {
        "session": {"session_id": SESSION, "init_timestamp": "2026-01-01T00:00:00Z", "tags": []},
        "events": [],
        "resourceSpans": [],
        "session_id": SESSION,
        "id": "x",
        "name": f"renamed {path}",
        "body": "text",
        "key": "no key",
        "api_key": "22222222-2222-4222-8222-222222222222",
        "project": "B",
        "scope": "admin",
        "tags": ["seen"],
    }


def test_without_a_key_with_a_revoked_one_and_with_one_that_never_was(two: Two) -> None:
    for method, path, filled in _routes(two):
        if (method, path) in OPEN:
            continue
        for key in (None, two.revoked, "22222222-2222-4222-8222-222222222222", "nonsense"):
            answer = _asked(two, method, filled, key)
            assert answer is not None, (method, path, "was let in")
            assert answer.status_code == 401, (method, path, key, answer.status_code, answer.text)
            assert SECRET not in answer.text.replace(filled, ""), (method, path)
            assert "www-authenticate" in answer.headers


def test_a_record_only_key_reads_nothing(two: Two) -> None:
    for method, path, filled in _routes(two):
        if (method, path) in OPEN or (method, path) == ("get", "/v3/auth/token"):
            continue
        answer = _asked(two, method, filled, two.b_record)
        writes = method == "post" and re.match("/v[124]/", path) is not None
        if writes or path == "/api/sign-out":
            assert answer is not None
            assert answer.status_code < 500
            assert answer.status_code not in (401, 403), (method, path, answer.text)
            continue
        assert answer is not None, (method, path)
        assert answer.status_code == 403, (method, path, answer.status_code, answer.text)
        assert SECRET not in answer.text.replace(filled, "")
    signed = two.server.http.post("/api/sign-in", json={"key": two.b_record})
    assert signed.status_code == 403


def test_a_read_key_writes_nothing(two: Two) -> None:
    for method, path, filled in _routes(two):
        if (method, path) in OPEN or path == "/api/sign-out" or method in ("get", "head"):
            continue
        answer = _asked(two, method, filled, two.a_read)
        assert answer is not None
        assert answer.status_code == 403, (method, path, answer.status_code)


def test_another_projects_key_finds_nothing_and_changes_nothing(two: Two) -> None:
    before = _seen_by_b(two)
    # A project of its own: what it writes under B's ids becomes its own.
    two.post("/api/projects", two.owner, {"name": "C"})
    foreign = two.key("C", "admin")
    # So the routes that read are asked first.
    routes = sorted(_routes(two), key=lambda route: route[0] not in ("get", "head"))
    for method, path, filled in routes:
        if (method, path) in OPEN or path == "/api/live":
            continue
        answer = _asked(two, method, filled, foreign)
        assert answer is not None
        assert answer.status_code != 500, (method, path, answer.text)
        # What was asked for may be named back; what B recorded may not.
        told = answer.text.replace(SESSION, "")
        assert SECRET not in told, (method, path, answer.text[:500])
        if "{" in path and method in ("get", "head", "delete", "patch") and not path.endswith("/ledger"):
            # A body that does not fit a route is refused before anything is looked up.
            assert answer.status_code in (404, 422), (method, path, answer.status_code, answer.text[:200])
    assert _seen_by_b(two) == before
    for query in (
        "q=zq-secret",
        f"tag={SECRET}",
        f"model={SECRET}",
        f"user={SECRET}",
        f"agent={SECRET}",
        "error=true",
    ):
        page = two.http("get", f"/api/sessions?{query}", two.a).json()
        assert (page["sessions"], page["total"]) == ([], 0)
    facets = two.http("get", "/api/sessions/facets", two.a).text
    assert SECRET not in facets


def _seen_by_b(two: Two) -> dict[str, Any]:
    found = two.http("get", f"/api/sessions/{SESSION}", two.b)
    assert found.status_code == 200
    assert two.http("get", f"/api/sessions/{SESSION}/events", two.b).json()["events"]
    keys = two.http("get", "/api/keys", two.b).json()["keys"]
    session = found.json()
    return {
        "session": {name: session[name] for name in ("name", "tags", "event_counts", "note", "state")},
        "keys": [(key["key_id"], key["state"]) for key in keys],
    }


def test_a_cursor_of_another_project_opens_nothing(two: Two) -> None:
    for number in range(3):
        one = body(span(0xC00 + number, 1, name=SECRET, agentops__span__kind="session"))
        assert two.http("post", "/v1/traces", two.b, json=one).status_code == 200
    page = two.http("get", "/api/sessions?limit=1", two.b).json()
    assert page["next_cursor"]
    answer = two.http("get", f"/api/sessions?limit=1&cursor={page['next_cursor']}", two.a)
    assert SECRET not in answer.text


def test_live_tells_of_the_own_project_only(two: Two) -> None:
    headers = {"X-Agentops-Api-Key": two.a}
    with (
        httpx.Client(base_url=two.server.url, timeout=20) as listening,
        listening.stream("GET", "/api/live", headers=headers) as live,
    ):
        frames = live.iter_lines()
        next(frames)
        for key, trace in ((two.b, 0xD1), (two.a, 0xD2)):
            one = body(span(trace, 1, name="x", agentops__span__kind="session"))
            assert two.http("post", "/v1/traces", key, json=one).status_code == 200
        told = next(line for line in frames if line.startswith("data:"))
        assert "0000000000d2" in told
        assert "0000000000d1" not in told


def test_a_live_stream_ends_with_its_key(two: Two) -> None:
    key = two.key("A", "read")
    with (
        httpx.Client(base_url=two.server.url, timeout=20) as listening,
        listening.stream("GET", "/api/live", headers={"X-Agentops-Api-Key": key}) as live,
    ):
        frames = live.iter_lines()
        next(frames)
        assert two.http("delete", f"/api/keys/{key[:8]}", two.owner).status_code == 200
        # It ends: a stream that went on would say `: ping` within 15 s.
        assert next((line for line in frames if line == ": ping"), None) is None


def test_a_foreign_id_takes_as_long_as_a_missing_one(two: Two) -> None:
    def took(session_id: str) -> float:
        began = time.perf_counter()
        assert two.http("get", f"/api/sessions/{session_id}", two.a_read).status_code == 404
        return time.perf_counter() - began

    foreign: list[float] = []
    missing: list[float] = []
    for number in range(60):
        foreign.append(took(SESSION))
        missing.append(took(f"session-xx-nobody-made-this-{number % 10}"))
    # Medians in turn, in one run: a busy machine slows both. The answer is the same, too.
    ratio = statistics.median(foreign) / statistics.median(missing)
    assert 0.5 < ratio < 2.0
    one = two.http("get", f"/api/sessions/{SESSION}", two.a_read).json()["error"]
    other = two.http("get", "/api/sessions/nobody", two.a_read).json()["error"]
    assert one["code"] == other["code"]
    assert one["message"].replace(SESSION, "nobody") == other["message"]


def test_the_same_ids_in_two_projects_are_two_sessions(two: Two) -> None:
    one = body(span(TRACE, 2, name="what A says", session__id=SESSION, agentops__span__kind="session"))
    assert two.http("post", "/v1/traces", two.a_record, json=one).status_code == 200
    own = two.http("get", f"/api/sessions/{SESSION}", two.a).json()
    assert SECRET not in str(own).replace(SESSION, "")
    assert own["event_counts"]["total"] == 0
    assert two.http("get", f"/api/sessions/{SESSION}", two.b).json()["event_counts"]["total"] >= 1
    # What one of them deletes, the other keeps.
    assert two.http("delete", f"/api/sessions/{SESSION}", two.a).status_code == 204
    assert two.http("get", f"/api/sessions/{SESSION}", two.b).status_code == 200
