"""Keys and projects: made once, hashed, limited, revoked at once, with all that was made from them."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.forked import run
from tests.serving import Server
from tests.spans import body, span
from tests.waiting import eventually

_AUTH = ("--port", "0", "--auth")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("home"), arguments=_AUTH)
    yield server
    server.close()


@pytest.fixture(scope="module")
def owner(locked: Server) -> str:
    return _first_key(locked)


def _first_key(server: Server) -> str:
    found = re.search(r"shown only now: (\S+)", "".join(server.log))
    assert found, server.log
    return found[1]


def _ask(server: Server, method: str, path: str, key: str, value: Any = None) -> httpx.Response:
    return server.http.request(
        method,
        path,
        headers={"Authorization": f"Bearer {key}"},
        **({"json": value} if value is not None else {}),
    )


def _make(server: Server, owner: str, **wish: Any) -> str:
    answer = _ask(server, "post", "/api/keys", owner, wish)
    assert answer.status_code == 201, answer.text
    return answer.json()["key"]


def _command(home: Path, *words: str, code: int = 0, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    done = run(words, {**kept, "AGENTOPS_HOME": str(home), **environment})
    assert done.returncode == code, done.stderr
    return (done.stdout if code == 0 else done.stdout + done.stderr).decode()


def test_the_first_start_shows_one_key_and_no_later_start_does(tmp_path: Path) -> None:
    first = Server(tmp_path, arguments=_AUTH, copied=False)
    try:
        key = _first_key(first)
        assert _ask(first, "get", "/api/sessions", key).status_code == 200
    finally:
        first.stop()
    again = Server(tmp_path, arguments=_AUTH)
    try:
        assert "shown only now" not in "".join(again.log)
        assert _ask(again, "get", "/api/sessions", key).status_code == 200
    finally:
        again.stop()
    # Nobody else may read any of it, and the key itself is nowhere.
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "secret" for path in files)
    for path in files:
        assert key.encode() not in path.read_bytes(), path
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    for path in (tmp_path, tmp_path / "store"):
        if path != tmp_path:
            assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


def test_keys_and_projects_while_the_server_runs(locked: Server, owner: str) -> None:
    project = _command(locked.home, "projects", "create", "Command line").splitlines()[0]
    key = _command(
        locked.home, "keys", "create", "--project", "Command line", "--scope", "read", "--name", "n"
    ).split()[0]
    assert _ask(locked, "get", "/api/sessions", key).json()["total"] == 0
    listed = json.loads(_command(locked.home, "keys", "list", "--project", project, "--json"))
    assert [(one["key_id"], one["scopes"], one["state"]) for one in listed] == [(key[:8], ["read"], "active")]
    assert listed[0]["last_used_at"] is not None
    rotated = _command(locked.home, "keys", "rotate", key[:8]).split()[0]
    assert _ask(locked, "get", "/api/sessions", key).status_code == 401
    assert _ask(locked, "get", "/api/sessions", rotated).status_code == 200
    _command(locked.home, "keys", "revoke", rotated[:8])
    assert _ask(locked, "get", "/api/sessions", rotated).status_code == 401
    _command(locked.home, "projects", "rename", "Command line", "Renamed")
    assert "Renamed" in _command(locked.home, "projects", "list")
    _command(locked.home, "projects", "delete", "Renamed", "--yes")
    assert "Renamed" not in _command(locked.home, "projects", "list")
    assert "no project" in _command(locked.home, "keys", "create", "--project", "Renamed", code=1)
    del owner


def test_keys_and_projects_without_a_server(tmp_path: Path) -> None:
    assert _command(tmp_path, "projects", "list").split("\t")[:2] == ["default", "default"]
    key = _command(tmp_path, "keys", "create", "--scope", "admin").split()[0]
    server = Server(tmp_path, arguments=_AUTH)
    try:
        # There is an admin key: no other is shown.
        assert "shown only now" not in "".join(server.log)
        assert _ask(server, "get", "/api/keys", key).status_code == 200
    finally:
        server.stop()
    assert "printable" in _command(tmp_path, "keys", "create", "--name", "a\nb", code=1)
    _command(tmp_path, "keys", "revoke", key)
    # Into a pipe go fields with tabs between them, without a head.
    listed = [line.split("\t") for line in _command(tmp_path, "keys", "list").splitlines()]
    assert [(one[0], one[2], one[6]) for one in listed] == [(key[:8], "admin", "revoked")]


def test_a_command_that_is_refused_names_what_mends_it(locked: Server) -> None:
    said = [
        _command(locked.home, *words, code=1)
        for words in (
            ("keys", "revoke", "zz"),
            ("keys", "revoke", ""),
            ("keys", "rotate", "a/b"),
            ("keys", "create", "--scope", "nope"),
            ("keys", "create", "--project", "nope"),
            ("keys", "create", "--name", "x" * 101),
            ("keys", "create", "--name", "a\nb"),
            ("keys", "create", "--quota", "1000001GB"),
            ("projects", "create", "default"),
            ("projects", "create", "a\nb"),
            ("projects", "delete", "default", "--yes"),
        )
    ]
    assert [line.strip() for line in said] == [
        "agentops keys: There is no key 'zz'. `agentops keys list` shows the keys there are.",
        "agentops keys: There is no key ''. `agentops keys list` shows the keys there are.",
        "agentops keys: There is no key 'a/b'. `agentops keys list` shows the keys there are.",
        "agentops keys: scope: nope. Use record, read, admin, or several of them separated by commas.",
        "agentops keys: There is no project 'nope'. `agentops projects list` shows the projects there are.",
        "agentops keys: --name cannot be used. Use up to 100 printable characters.",
        "agentops keys: --name cannot be used. Use up to 100 printable characters.",
        "agentops keys: --quota '1000001GB' is too much. Use at most 1000000GB.",
        "agentops projects: name: there is a project 'default' already. Choose another name.",
        "agentops projects: name: 'a\\nb' cannot be used. Use 1 to 100 printable characters.",
        "agentops projects: The first project cannot be deleted. Delete its sessions, or rename it.",
    ]


def test_a_deleted_project_takes_everything_with_it(locked: Server, owner: str) -> None:
    _ask(locked, "post", "/api/projects", owner, {"name": "Short-lived"})
    key = _make(locked, owner, project="Short-lived")
    sent = body(span(0x5107, 1, name="gone", agentops__span__kind="session"))
    assert _ask(locked, "post", "/v1/traces", key, sent).status_code == 200
    assert _ask(locked, "get", "/api/sessions", key).json()["total"] == 1
    projects = _ask(locked, "get", "/api/projects", owner).json()["projects"]
    project = next(one["project_id"] for one in projects if one["name"] == "Short-lived")
    assert _ask(locked, "delete", f"/api/projects/{project}", owner).status_code == 204
    assert _ask(locked, "get", "/api/sessions", key).status_code == 401
    assert _ask(locked, "delete", "/api/projects/default", owner).status_code == 409


def test_of_many_who_ask_for_the_same_at_once_one_is_served(locked: Server, owner: str) -> None:
    made = _ask(locked, "post", "/api/keys", owner, {"scope": "read", "name": "turned"}).json()
    path = f"/api/keys/{made['key_id']}/rotate"
    with ThreadPoolExecutor(6) as at_once:
        asked = [
            at_once.submit(_ask, locked, "post", "/api/projects", owner, {"name": "Once"}) for _ in range(6)
        ]
        asked += [at_once.submit(_ask, locked, "post", path, owner) for _ in range(6)]
    answers = [one.result() for one in asked]
    named, turned = answers[:6], answers[6:]
    assert sorted(answer.status_code for answer in named) == [201, 409, 409, 409, 409, 409]
    assert sorted(answer.status_code for answer in turned) == [201, 404, 404, 404, 404, 404]
    keys = _ask(locked, "get", "/api/keys", owner).json()["keys"]
    assert len([key for key in keys if key["name"] == "turned" and key["state"] == "active"]) == 1


def test_a_key_ends_when_it_was_told_to(locked: Server, owner: str) -> None:
    key = _make(locked, owner, expires_in_days=2 / 86_400)
    assert _ask(locked, "get", "/api/sessions", key).status_code == 200
    eventually(lambda: _ask(locked, "get", "/api/sessions", key).status_code == 401)


def test_tokens_die_with_their_key(locked: Server, owner: str) -> None:
    key = _make(locked, owner)
    exchange = locked.http.post("/v3/auth/token", json={"api_key": key})
    assert exchange.status_code == 200
    token = exchange.json()["token"]
    assert exchange.json()["project_prem_status"] == "pro"
    bearer = locked.http.post("/public/v1/auth/access_token", json={"api_key": key}).json()["bearer"]
    jwt = locked.http.post(
        "/v2/create_session",
        json={"session": {"session_id": "0b0b0b0b-0000-4000-8000-000000000001"}},
        headers={"X-Agentops-Api-Key": key, "Authorization": "Bearer stale.stale.stale"},
    ).json()["jwt"]
    verified = _ask(locked, "get", "/v3/auth/token", token)
    assert verified.json()["valid"] is True
    for one in (token, bearer, jwt):
        assert _ask(locked, "get", "/public/v1/project", one).status_code == 200
        header, claims, signature = one.split(".")
        changed = ("A" if claims[0] != "A" else "B") + claims[1:]
        assert _ask(locked, "get", "/public/v1/project", f"{header}.{changed}.{signature}").status_code == 401
    _ask(locked, "delete", f"/api/keys/{key[:8]}", owner)
    for one in (token, bearer, jwt):
        assert _ask(locked, "get", "/public/v1/project", one).status_code == 401
        assert _ask(locked, "post", "/v1/traces", one, body()).status_code == 401
    assert locked.http.post("/v3/auth/token", json={"api_key": key}).status_code == 403
    assert locked.http.post("/v3/auth/token", json={"api_key": "no uuid"}).status_code == 400


def test_what_the_token_or_body_names_wins_over_a_stray_header(locked: Server, owner: str) -> None:
    _ask(locked, "post", "/api/projects", owner, {"name": "Stray"})
    own, stray = _make(locked, owner), _make(locked, owner, project="Stray")
    session = "0b0b0b0b-0000-4000-8000-000000000002"
    jwt = locked.http.post(
        "/v2/create_session", json={"session": {"session_id": session}}, headers={"X-Agentops-Api-Key": own}
    ).json()["jwt"]
    # 0.3.2 keeps its headers in one global: the key of another session rides along, and events name none.
    both = {"Authorization": f"Bearer {jwt}", "X-Agentops-Api-Key": stray}
    event = {"id": "e1", "event_type": "actions", "action_type": "by token"}
    assert locked.http.post("/v2/create_events", json={"events": [event]}, headers=both).status_code == 200
    events = _ask(locked, "get", f"/api/sessions/{session}/events", own).json()["events"]
    assert [one["name"] for one in events] == ["by token"]
    assert _ask(locked, "get", f"/api/sessions/{session}", stray).status_code == 404
    # The body names another session of the project: it wins over the token's.
    other = "0b0b0b0b-0000-4000-8000-000000000003"
    event = {**event, "id": "e2", "session_id": other}
    locked.http.post("/v2/create_events", json={"events": [event]}, headers=both)
    assert _ask(locked, "get", f"/api/sessions/{other}", own).json()["event_counts"]["action"] == 1


def test_an_admin_of_one_project_manages_that_one(locked: Server, owner: str) -> None:
    _ask(locked, "post", "/api/projects", owner, {"name": "One"})
    admin = _make(locked, owner, project="One", scope="admin")
    assert _ask(locked, "post", "/api/projects", admin, {"name": "Two"}).status_code == 403
    assert _ask(locked, "get", "/metrics", admin).status_code == 403
    assert _ask(locked, "get", "/metrics", owner).status_code == 200
    assert len(_ask(locked, "get", "/api/projects", admin).json()["projects"]) == 1
    assert _ask(locked, "post", "/api/keys", admin, {"project": "default"}).status_code == 404
    assert _ask(locked, "delete", f"/api/keys/{owner[:8]}", admin).status_code == 404
    made = _make(locked, admin, scope="record")
    assert _ask(locked, "delete", f"/api/keys/{made[:8]}", admin).status_code == 200


def test_a_quota_answers_429_and_says_when(locked: Server, owner: str) -> None:
    key = _make(locked, owner, quota_bytes_per_minute=2000)
    sent = body(span(0x9007A, 1, name="x" * 3000))
    assert _ask(locked, "post", "/v1/traces", key, sent).status_code == 200
    refused = _ask(locked, "post", "/v1/traces", key, sent)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["error"]["code"] == "quota_exceeded"
    # Reading goes on, and so do other keys.
    assert _ask(locked, "get", "/api/sessions", key).status_code == 200
    assert _ask(locked, "post", "/v1/traces", owner, sent).status_code == 200


def test_wrong_keys_are_tried_ten_times_and_no_more(tmp_path: Path) -> None:
    server = Server(tmp_path, arguments=_AUTH)
    try:
        key = _first_key(server)
        wrong = {"key": "22222222-2222-4222-8222-222222222222"}
        answers = [server.http.post("/api/sign-in", json=wrong).status_code for _ in range(12)]
        assert answers[:10] == [401] * 10
        assert answers[10:] == [429] * 2
        limited = server.http.post("/api/sign-in", json=wrong)
        assert limited.status_code == 429
        assert int(limited.headers["retry-after"]) >= 1
        assert server.http.post("/v3/auth/token", json={"api_key": wrong["key"]}).status_code == 429
        # Who has a key is not held up by others' guesses.
        assert server.http.post("/v3/auth/token", json={"api_key": key}).status_code == 200
        assert server.http.post("/api/sign-in", json={"key": key}).status_code == 200
        assert _ask(server, "get", "/api/sessions", key).status_code == 200
    finally:
        server.stop()


def test_the_cookie_is_refused_to_other_sites(locked: Server, owner: str) -> None:
    with httpx.Client(base_url=locked.url) as browser:
        signed = browser.post("/api/sign-in", json={"key": owner})
        cookie = signed.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Secure" not in cookie  # This server speaks plain HTTP.
        assert browser.get("/api/sessions").status_code == 200
        cross = {"Origin": "https://evil.example"}
        assert browser.post("/api/projects", json={"name": "csrf"}, headers=cross).status_code == 403
        assert browser.get("/api/sessions", headers=cross).status_code == 403
        fetched = {"Sec-Fetch-Site": "cross-site"}
        assert browser.post("/api/projects", json={"name": "csrf"}, headers=fetched).status_code == 403
        # Other programs of this host set cookies too, in whatever form.
        own = cookie.partition(";")[0]
        for others in ('seen={"a": 1}; ', "two words=1; ", "list[0]=1; ", "bare; ", "path=/; ", "é=1; "):
            sent = {b"Cookie": (others + own).encode()}
            assert httpx.get(f"{locked.url}/api/sessions", headers=sent).status_code == 200, others
        assert browser.post("/api/sign-out").status_code == 204
    kept = {"Cookie": own}
    assert locked.http.get("/api/sessions", headers=kept).status_code == 401


def test_a_signed_in_page_ends_with_its_key(locked: Server, owner: str) -> None:
    key = _make(locked, owner, scope="read")
    with httpx.Client(base_url=locked.url) as browser:
        assert browser.post("/api/sign-in", json={"key": key}).status_code == 200
        assert browser.get("/api/sessions").status_code == 200
        _ask(locked, "delete", f"/api/keys/{key[:8]}", owner)
        assert browser.get("/api/sessions").status_code == 401
        assert browser.get("/api/me").json()["signed_in"] is False


def test_what_happened_to_keys_is_logged_and_no_secret_is(locked: Server, owner: str) -> None:
    key = _make(locked, owner, name="for the log")
    wrong = "33333333-3333-4333-8333-333333333333"
    _ask(locked, "get", "/api/sessions", key)
    _ask(locked, "get", "/api/sessions", wrong)
    locked.http.get(f"/api/sessions?api_key={key}", headers={"Authorization": f"Bearer {key}"})
    with httpx.Client(base_url=locked.url) as browser:
        cookie = browser.post("/api/sign-in", json={"key": key}).cookies["agentops_sign_in"]
    sent = body(span(0x1D1D, 1, name="to delete", agentops__span__kind="session"))
    _ask(locked, "post", "/v1/traces", owner, sent)
    _ask(locked, "delete", "/api/sessions/00000000-0000-0000-0000-000000001d1d", owner)
    _ask(locked, "delete", f"/api/keys/{key[:8]}", owner)
    lines = _ask(locked, "get", "/api/audit", owner).json()["lines"]
    about = [
        line["what"]
        for line in lines
        if key[:8] in (line.get("key"), line.get("created"), line.get("revoked"))
    ]
    assert set(about) >= {"key.created", "key.used", "sign_in", "key.revoked"}
    assert any(line["what"] == "session.deleted" and line["by"] == owner[:8] for line in lines)
    text = "".join(locked.log) + (locked.home / "audit.jsonl").read_text()
    for secret in (key, wrong, cookie):
        assert secret not in text
    # The first key is shown once, to the terminal, by design.
    assert text.count(owner) == 1


def test_a_key_that_is_none_is_noted_and_a_key_speaks_for_its_own_project_only(
    locked: Server, owner: str
) -> None:
    before = len((locked.home / "audit.jsonl").read_text().splitlines())
    wrong = {"Authorization": "Bearer 44444444-4444-4444-8444-444444444444", "X-Forwarded-For": "x"}
    assert locked.http.get("/api/sessions", headers=wrong).status_code == 401
    noted = (locked.home / "audit.jsonl").read_text().splitlines()
    assert any('"key.refused"' in line for line in noted)
    # Once an hour for each address: whoever guesses fills no disk.
    for _ in range(5):
        assert locked.http.get("/api/sessions", headers=wrong).status_code == 401
    assert len((locked.home / "audit.jsonl").read_text().splitlines()) <= max(before, len(noted)) + 1
    _ask(locked, "post", "/api/projects", owner, {"name": "Named in a header"})
    key = _make(locked, owner, project="Named in a header")
    sent = body(span(0x4EAD, 1, name="of another", agentops__span__kind="session"))
    assert _ask(locked, "post", "/v1/traces", key, sent).status_code == 200
    headers = {"Authorization": f"Bearer {owner}", "X-Agentops-Project": "Named in a header"}
    found = locked.http.get("/api/sessions", params={"q": "of another"}, headers=headers).json()
    assert found["total"] == 0


def test_what_a_dead_program_left_behind_goes_to_its_keys_project(locked: Server, owner: str) -> None:
    _ask(locked, "post", "/api/projects", owner, {"name": "Orphans"})
    key = _make(locked, owner, project="Orphans", scope="record")
    reader = _make(locked, owner, project="Orphans", scope="read")
    program = (
        "import agentops, os, signal, sys\n"
        "agentops.init(api_key=sys.argv[1], endpoint=sys.argv[2], max_wait_time=60000, max_queue_size=9999)\n"
        "agentops.record(agentops.ActionEvent(action_type='left behind'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))}
    subprocess.run(
        [sys.executable, "-c", program, key, locked.url],
        env={**kept, "AGENTOPS_HOME": str(locked.home)},
        timeout=60,
        check=False,
    )

    def arrived() -> bool:
        found = _ask(locked, "get", "/api/sessions", reader).json()
        return found["total"] == 1 and found["sessions"][0]["event_counts"]["action"] == 1

    eventually(arrived, within_s=20)


def test_no_key_is_needed_to_see_that_it_runs_and_nothing_more_is_seen(locked: Server) -> None:
    health = locked.http.get("/healthz").json()
    assert health["status"] == "ok"
    assert str(locked.home) not in json.dumps(health)
    page = locked.http.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert (
        "script-src" in page.headers["content-security-policy"]
        or "default-src 'self'" in page.headers["content-security-policy"]
    )
    for name in ("x-content-type-options", "x-frame-options", "referrer-policy", "permissions-policy"):
        assert name in page.headers


def test_a_key_check_is_quick(locked: Server, owner: str) -> None:
    """The check by itself, in this process: a keyed hash and a look-up."""
    from agentops.server.auth.secret import Secret

    secret = Secret(b"x" * 32)
    began = time.process_time_ns()
    for _ in range(2000):
        secret.hash_of(owner)
    assert (time.process_time_ns() - began) / 2000 < 50_000


def test_doctor_says_when_the_key_keeps_records_out(locked: Server, owner: str) -> None:
    def said(code: int, **key: str) -> str:
        return _command(locked.home, "doctor", code=code, AGENTOPS_API_ENDPOINT=locked.url, **key)

    assert "/v1/traces takes records with a key only" in said(1)
    assert "/v1/traces refuses the key" in said(1, AGENTOPS_API_KEY="22222222-2222-4222-8222-222222222222")
    reader = _make(locked, owner, scope="read")
    assert "/v1/traces refuses the key" in said(1, AGENTOPS_API_KEY=reader)
    assert f"{locked.url} answers" in said(0, AGENTOPS_API_KEY=_make(locked, owner, scope="record"))


def test_a_command_with_another_secret_says_so(locked: Server) -> None:
    said = _command(locked.home, "sessions", code=1, AGENTOPS_SECRET="another one, and long enough for it")
    assert "Give the command the AGENTOPS_SECRET that the server has" in said
