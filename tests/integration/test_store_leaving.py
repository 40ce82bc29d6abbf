"""What leaves the store: old sessions, log records of nobody, deleted projects and sessions."""

from __future__ import annotations

import time
from typing import Any

from agentops.model import LogRecord, Resource, Scope
from agentops.server.auth.projects import Project, Projects
from agentops.server.store.retention import Retention, retention_days
from tests.rooms import Rooms, call, count
from tests.spans import SECOND, span

DAY = 86_400 * SECOND
Rows = list[dict[str, Any]]


def keep(opened: Rooms, project: str, days: int) -> None:
    Projects(opened.store).keep(Project(project=project, name=project, created_at=0), days)


def test_old_sessions_go_wholly_where_their_project_says_so(opened: Rooms) -> None:
    now = time.time_ns()
    for project in ("short", "long", "default"):
        opened.send(span(1, 1, name="old", session__id="old"), project=project)
    keep(opened, "short", 3)
    keep(opened, "long", 30)
    assert retention_days(opened.store, 0) == {"short": 3, "long": 30}
    assert retention_days(opened.store, 7) == {"short": 3, "long": 30, "default": 7}
    changed: list[str] = []
    retention = Retention(
        opened.store, opened.summariser, 0, lambda project, sessions: changed.append(project)
    )
    assert retention.look(now + 2 * DAY) == 0
    assert retention.look(now + 4 * DAY) == 1
    assert changed == ["short"]
    assert opened.session("old", "short") is None
    assert opened.session("old", "long") is not None
    assert opened.session("old") is not None
    for table in ("spans", "sessions", "session_traces"):
        assert count(opened.store, f"{table} WHERE project = 'short'") == 0
        assert count(opened.store, f"{table} WHERE project = 'long'") > 0
    # What is used again is there again.
    opened.send(span(2, 1, name="new", session__id="old"), project="short")
    assert opened.session("old", "short") is not None


def log_of(text: str, trace: int = 0, session: str = "") -> LogRecord:
    return LogRecord(
        time_ns=0,
        severity=0,
        severity_text="",
        body=text,
        resource=Resource({}),
        scope=Scope("app"),
        trace_id=f"{trace:032x}" if trace else "",
        attributes={"session.id": session} if session else {},
    )


def test_log_records_of_no_session_go_with_what_their_project_keeps(opened: Rooms) -> None:
    now = time.time_ns()

    def texts(project: str) -> list[str]:
        rows: Rows = opened.store.rows(
            "SELECT body FROM logs FINAL WHERE project = {p:String} ORDER BY body",
            {"p": project},
            dict[str, Any],
        )
        return [row["body"] for row in rows]

    late = span(1, 1, session__id="stays", start_ns=now)
    opened.send({**late, "endTimeUnixNano": str(now + 3 * DAY)}, project="short")
    records = [
        log_of("object"), log_of("of nobody", session="nobody"), log_of("of no span", trace=9),
        log_of("loose", session="stays"), log_of("stays", trace=1),
    ]  # fmt: skip
    for project in ("short", "empty", "long"):
        opened.ingest.records(records, project).result(60)
    keep(opened, "short", 3)
    keep(opened, "empty", 3)
    retention = Retention(opened.store, opened.summariser, 0, lambda project, sessions: None)
    assert retention.look(now + 2 * DAY) == 0
    assert len(texts("short")) == len(texts("empty")) == 5
    assert retention.look(now + 4 * DAY) == 0
    assert texts("short") == ["loose", "stays"]
    assert texts("empty") == []
    assert len(texts("long")) == 5


def test_what_a_deleted_session_went_on_sending_goes_with_what_its_project_keeps(opened: Rooms) -> None:
    now = time.time_ns()
    for project in ("short", "long"):
        opened.send(span(1, 1, session__id="gone"), span(2, 1, session__id="stays"), project=project)
        assert opened.delete("gone", project)
        opened.send(span(1, 2, 1, name="late", start_ns=now), project=project)
        opened.send(span(2, 3, 1, start_ns=now + 3 * DAY), project=project)
    keep(opened, "short", 3)
    retention = Retention(opened.store, opened.summariser, 0, lambda project, sessions: None)
    retention.look(now + 2 * DAY)
    late = "spans WHERE name = 'late' AND project = "
    assert (count(opened.store, f"{late}'short'"), count(opened.store, f"{late}'long'")) == (1, 1)
    retention.look(now + 4 * DAY)
    assert (count(opened.store, f"{late}'short'"), count(opened.store, f"{late}'long'")) == (0, 1)
    assert count(opened.store, "spans WHERE project = 'short'") == 2
    assert opened.session("stays", "short") is not None


def test_nothing_that_was_recorded_in_a_deleted_project_is_left(opened: Rooms) -> None:
    projects = Projects(opened.store)
    gone = projects.create("Gone").project

    def recorded(project: str) -> list[str]:
        tables = [f"`{one}`" for one in opened.store.answer("SHOW TABLES", form="TSV").decode().split()]
        holds = {"projects", "api_keys", "sign_ins", "key_uses", "migrations", "price_lists"}
        asked = [one for one in tables if one.strip("`") not in holds]
        return [one for one in asked if count(opened.store, f"{one} WHERE project = '{project}'")]

    for project in ("kept", gone):
        opened.send(span(1, 1, name="one", gen_ai__agent__name="a"), call(1, 2, 1), project=project)
    held = recorded("kept")
    assert {"`spans`", "`sessions`", "`session_traces`", "`span_agents`"} <= set(held)
    assert recorded(gone) == held
    projects.delete(projects.named(gone))
    assert recorded(gone) == []
    # What was on its way goes with the next look.
    opened.send(span(2, 1, name="late"), project=gone)
    Retention(opened.store, opened.summariser, 0, lambda project, sessions: None).look(time.time_ns())
    assert recorded(gone) == []
    assert recorded("kept") == held


def test_a_deleted_session_comes_back_by_an_import_and_not_by_what_goes_on_reporting(opened: Rooms) -> None:
    started = time.time_ns() - 5 * SECOND
    whole = [
        span(1, 1, name="root", start_ns=started, session__id="again"),
        span(1, 2, 1, name="child", start_ns=started),
    ]
    opened.send(*whole)
    assert opened.delete("again")
    assert opened.session("again") is None
    opened.send(span(1, 3, 1, name="late child", start_ns=started, session__id="again"))
    opened.send(span(1, 4, name="goes on", start_ns=time.time_ns(), session__id="again"))
    assert opened.session("again") is None
    opened.send(*whole)
    row = opened.session("again")
    assert row is not None
    assert row["events"] == 3  # the late child has its parent again
    assert opened.delete("again")
    assert opened.session("again") is None
