"""What users say of a session, deletion included, whatever its program says later."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from tests.integration.trace import TRACES, ids, send, session_of, trace
from tests.serving import Server
from tests.spans import body, ours, span

__all__ = ["trace"]


def test_a_users_edits_survive_what_the_program_says_later(module_server: Server, trace: int) -> None:
    session = session_of(trace)
    root: dict[str, Any] = {
        "agentops__span__kind": "session",
        "session__id": session,
        "name": "main",
        "agentops__tags": ["old"],
    }
    send(module_server, ours(span(trace, 1, ms=None, **root)))
    answer = module_server.http.patch(
        f"/api/sessions/{session}", json={"name": "renamed", "tags": ["x", "y"], "note": "see"}
    )
    assert answer.status_code == 200, answer.text
    send(module_server, ours(span(trace, 1, agentops__session__end_state="Success", **root)))
    found = module_server.get(f"/api/sessions/{session}")
    assert (found["name"], found["tags"], found["note"], found["state"]) == (
        "renamed",
        ["x", "y"],
        "see",
        "success",
    )
    assert module_server.http.patch(f"/api/sessions/{session}", json={"tags": None, "name": None}).json()[
        "tags"
    ] == ["old"]
    assert module_server.get(f"/api/sessions/{session}")["name"] == "main"


def test_tags_by_hand_go_over_what_the_program_records_later(module_server: Server, trace: int) -> None:
    session, path = session_of(trace), f"/api/sessions/{session_of(trace)}"

    def records(*tags: str) -> list[str]:
        root: dict[str, Any] = {"agentops__span__kind": "session", "session__id": session}
        root["agentops__tags"] = list(tags)
        send(module_server, ours(span(trace, 1, ms=None, **root)))
        return module_server.get(path)["tags"]

    def by_hand(**change: Any) -> list[str]:
        return module_server.http.patch(path, json=change).json()["tags"]

    assert records("first", "wrong") == ["first", "wrong"]
    assert by_hand(add_tags=["seen"], remove_tags=["wrong", "never there"]) == ["first", "seen"]
    assert records("first", "wrong", "later") == ["first", "later", "seen"]
    assert by_hand(add_tags=["wrong"], remove_tags=["seen"]) == ["first", "wrong", "later"]
    assert records("first", "wrong", "last") == ["first", "wrong", "last"]
    # Set as a whole they stand as they are, until that is taken back; what is added then goes over it.
    assert by_hand(tags=["mine"]) == ["mine"]
    assert by_hand(add_tags=["too"]) == ["mine", "too"]
    assert records("first") == ["mine", "too"]
    assert by_hand(tags=None) == ["first"]


def test_every_tag_that_was_taken_away_stays_away_also_in_another_store(
    module_server: Server, trace: int
) -> None:
    session, path = session_of(trace), f"/api/sessions/{session_of(trace)}"
    began = time.time_ns()

    def records(count: int) -> list[str]:
        root: dict[str, Any] = {"agentops__span__kind": "session", "session__id": session}
        root["agentops__tags"] = [f"t{number}" for number in range(count)]
        send(module_server, ours(span(trace, 1, ms=None, start_ns=began, **root)))
        return module_server.get(path)["tags"]

    tags = records(130)
    for part in (tags[:70], tags[70:128]):
        assert module_server.http.patch(path, json={"remove_tags": part}).status_code == 200
    module_server.http.patch(path, json={"add_tags": [f"mine{number}" for number in range(98)]})
    shown = records(140)
    assert shown[:13] == [*tags[128:], *(f"t{number}" for number in range(130, 140)), "mine0"]
    assert len(shown) == 110
    # More than an edit may say is still what the edits of a session together say.
    export = module_server.http.get(f"{path}/export").content
    assert module_server.http.delete(path).status_code == 204
    answer = module_server.post("/api/import", export, content_type="application/json")
    assert answer.status_code == 200, answer.text
    assert module_server.get(path)["tags"] == shown
    assert records(150)[:2] == shown[:2]


def test_a_name_is_never_empty(module_server: Server, trace: int) -> None:
    path = f"/api/sessions/{session_of(trace)}"
    send(module_server, body(span(trace, 1, name="main")))
    for name in ("", " \n"):
        answer = module_server.http.patch(path, json={"name": name})
        assert answer.status_code == 422, answer.text
        error = answer.json()["error"]
        assert error["message"] == "name: it is empty."
        assert "null" in error["hint"]
    assert module_server.get(path)["name"] == "main"


def test_sessions_are_deleted_many_at_once(module_server: Server, trace: int) -> None:
    alone, stays, leaves = f"alone-{trace}", f"beside-{trace}", f"with-{trace}"
    shared = next(TRACES)
    send(
        module_server,
        body(
            span(trace, 1, session__id=alone),
            span(shared, 1, session__id=stays),
            span(shared, 2, 1, session__id=leaves),
        ),
    )
    named = {"sessions": [leaves, "nobody", alone, alone]}
    answer = module_server.http.post("/api/sessions/delete", json=named)
    assert (answer.status_code, answer.json()) == (200, {"sessions": [leaves, alone], "missing": ["nobody"]})
    assert {alone, stays, leaves} & set(ids(module_server)) == {stays}
    # Nothing brings them back, and who asks again is told that they are gone.
    send(module_server, body(span(trace, 3, 1, session__id=alone), span(shared, 4, 2, session__id=leaves)))
    assert {alone, stays, leaves} & set(ids(module_server)) == {stays}
    again = module_server.http.post("/api/sessions/delete", json=named).json()
    assert again == {"sessions": [], "missing": [leaves, "nobody", alone]}
    refused = module_server.http.post("/api/sessions/delete", json={"sessions": ["x"] * 501})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_body")


def test_edits_at_the_same_time_undo_neither_each_other_nor_a_deletion(
    module_server: Server, trace: int
) -> None:
    edited = [f"edited-{trace}-{turn}" for turn in range(2)]
    gone = {f"removed-{trace}": next(TRACES)}
    send(
        module_server,
        body(
            *(span(next(TRACES), 1, session__id=session) for session in edited),
            *(span(number, 1, session__id=session) for session, number in gone.items()),
        ),
    )
    changes: list[dict[str, Any]] = [{"name": "named"}, {"tags": ["tagged"]}, {"note": "noted"}]
    asked: list[tuple[str, dict[str, Any]]] = [(session, change) for session in edited for change in changes]
    for session in gone:
        asked += [(session, {"name": "named"}), (session, {}), (session, {"note": "noted"})]

    def ask(one: tuple[str, dict[str, Any]]) -> int:
        session, change = one
        path = f"/api/sessions/{session}"
        http = module_server.http
        return (http.patch(path, json=change) if change else http.delete(path)).status_code

    with ThreadPoolExecutor(len(asked)) as at_once:
        answers = list(at_once.map(ask, asked))
    assert set(answers) <= {200, 204, 404}
    for session in edited:
        found = module_server.get(f"/api/sessions/{session}")
        assert (found["name"], found["tags"], found["note"]) == ("named", ["tagged"], "noted")
    send(module_server, body(*(span(number, 2, 1, session__id=one) for one, number in gone.items())))
    for session in gone:
        assert module_server.http.get(f"/api/sessions/{session}").status_code == 404


def test_tags_that_come_at_the_same_moment_all_stay(module_server: Server, trace: int) -> None:
    tagged = [session_of(trace), session_of(next(TRACES))]
    for session in tagged:
        send(module_server, ours(span(UUID(session).int, 1, session__id=session, agentops__tags=["own"])))
    path, several = f"/api/sessions/{tagged[0]}", "/api/sessions"
    asked: list[tuple[str, dict[str, Any]]] = [
        *((path, {"add_tags": [f"one-{turn}"]}) for turn in range(4)),
        *((several, {"sessions": [*tagged, "nobody"], "add_tags": [f"both-{turn}"]}) for turn in range(4)),
        (several, {"sessions": tagged, "add_tags": ["both-0"], "remove_tags": ["own", "no such tag"]}),
    ]

    def ask(one: tuple[str, dict[str, Any]]) -> Any:
        return module_server.http.patch(one[0], json=one[1])

    with ThreadPoolExecutor(len(asked)) as at_once:
        answers = list(at_once.map(ask, asked))
    assert [one.status_code for one in answers] == [200] * len(asked)
    assert answers[4].json() == {"sessions": tagged, "missing": ["nobody"]}
    both = {f"both-{turn}" for turn in range(4)}
    assert set(module_server.get(path)["tags"]) == both | {f"one-{turn}" for turn in range(4)}
    assert set(module_server.get(f"/api/sessions/{tagged[1]}")["tags"]) == both


def test_a_session_has_a_hundred_tags_at_the_most(module_server: Server, trace: int) -> None:
    session = f"many-tags-{trace}"
    send(module_server, body(span(trace, 1, session__id=session)))
    path = f"/api/sessions/{session}"
    tags = [f"tag {number}" for number in range(100)]
    assert module_server.http.patch(path, json={"tags": tags}).status_code == 200
    refused = module_server.http.patch(path, json={"add_tags": ["one more"]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "too_many_tags")
    assert session in refused.json()["error"]["message"]
    several = {"sessions": [session], "add_tags": ["one more"], "remove_tags": ["tag 7"]}
    assert module_server.http.patch("/api/sessions", json=several).status_code == 200
    assert module_server.get(path)["tags"] == [one for one in tags if one != "tag 7"] + ["one more"]


def test_a_session_that_came_back_after_its_deletion_can_be_named(module_server: Server, trace: int) -> None:
    session = f"back-{trace}"
    path = f"/api/sessions/{session}"
    send(module_server, body(span(trace, 1, session__id=session)))
    assert module_server.http.delete(path).status_code == 204
    send(module_server, body(span(next(TRACES), 1, session__id=session, name="anew")))
    answer = module_server.http.patch(path, json={"name": "named", "add_tags": ["back"]})
    assert (answer.json()["name"], answer.json()["tags"]) == ("named", ["back"])


def test_a_deleted_session_stays_deleted_when_stragglers_arrive(module_server: Server, trace: int) -> None:
    session = f"gone-{trace}"
    send(module_server, body(span(trace, 1, session__id=session), span(trace, 2, 1, name="needle in gone")))
    assert module_server.http.delete(f"/api/sessions/{session}").status_code == 204
    assert module_server.http.delete(f"/api/sessions/{session}").status_code == 404
    send(module_server, body(span(trace, 3, 1, session__id=session)))
    assert module_server.http.get(f"/api/sessions/{session}").status_code == 404
    assert session not in ids(module_server)
    # The same foreign id, used again in a new trace, is a new session.
    send(module_server, body(span(next(TRACES), 1, session__id=session, name="anew")))
    assert [one["name"] for one in module_server.get(f"/api/sessions/{session}/events")["events"]] == ["anew"]


def test_stragglers_make_no_session_of_the_trace_whose_session_is_deleted(
    module_server: Server, trace: int
) -> None:
    send(module_server, body(span(trace, 1, session__id=f"gone-{trace}"), span(trace, 2, 1)))
    assert module_server.http.delete(f"/api/sessions/gone-{trace}").status_code == 204
    # The span that named the session for all of them is gone.
    send(module_server, body(span(trace, 3, 1)))
    send(module_server, body(span(trace, 4, start_ns=time.time_ns())))
    assert not {f"gone-{trace}", session_of(trace)} & set(ids(module_server))
    # A part of a trace that was not deleted with others stays, and goes on.
    other = next(TRACES)
    send(module_server, body(span(other, 1, session__id=f"gone-{other}"), span(other, 2)))
    send(module_server, body(span(other, 3, session__id=f"gone-too-{other}"), span(other, 4, 2)))
    named = [f"gone-{other}", f"gone-too-{other}"]
    assert module_server.post("/api/sessions/delete", {"sessions": named}).json()["sessions"] == named
    send(module_server, body(span(other, 5, 4)))
    assert module_server.get(f"/api/sessions/{session_of(other)}")["event_counts"]["total"] == 3


def test_no_route_tells_what_a_deleted_session_went_on_sending(module_server: Server, trace: int) -> None:
    gone, stays = f"gone-{trace}", f"stays-{trace}"
    send(module_server, body(span(trace, 1, session__id=gone), span(trace, 2, 1, session__id=stays)))
    paths = [f"traces/{trace:032x}", f"spans/{trace:015x}7", f"spans/{trace:015x}7/metrics"]
    late = {**span(trace, 7, 1, session__id=gone), "spanId": f"{trace:015x}7"}

    def told() -> list[int]:
        answers = [module_server.http.get(f"/public/v1/{path}") for path in paths]
        shown = len(answers[0].json()["spans"]) if answers[0].status_code == 200 else 0
        return [shown, *(answer.status_code for answer in answers)]

    assert told() == [2, 200, 404, 404]
    assert module_server.http.delete(f"/api/sessions/{gone}").status_code == 204
    send(module_server, body(late))
    assert told() == [1, 200, 404, 404]
    assert module_server.http.delete(f"/api/sessions/{stays}").status_code == 204
    send(module_server, body(span(trace, 8, 2)))
    assert told() == [0, 404, 404, 404]


def test_deleting_one_of_two_sessions_in_a_trace_leaves_the_other(module_server: Server, trace: int) -> None:
    first, second = f"stay-{trace}", f"leave-{trace}"
    send(
        module_server,
        body(
            span(trace, 1, name="stays", session__id=first),
            span(trace, 2, 1, name="stays too"),
            span(trace, 3, 1, name="leaves", session__id=second),
            span(trace, 4, 3, name="leaves too"),
        ),
    )
    assert module_server.http.delete(f"/api/sessions/{second}").status_code == 204
    assert module_server.http.get(f"/api/sessions/{second}").status_code == 404
    names = [one["name"] for one in module_server.get(f"/api/sessions/{first}/events")["events"]]
    assert names == ["stays", "stays too"]
