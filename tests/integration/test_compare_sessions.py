"""Two sessions beside each other, two tags beside each other, and the statistics against known values."""

from __future__ import annotations

import math
import random
from statistics import NormalDist
from typing import Any

import pytest

from agentops.server.query.significance import fisher, holm, interval, ranked
from tests.serving import Server
from tests.spans import MS, SECOND, body, span

START = 1_770_000_000 * SECOND


def send(server: Server, trace: int, session: str, names: list[tuple[str, str]], **root: Any) -> None:
    ms = root.pop("ms", 1000)
    spans = [
        span(trace, 1, name=session, start_ns=START, ms=ms, session__id=session,
             agentops__span__kind="session", **root)
    ]  # fmt: skip
    for number, (name, given) in enumerate(names, 2):
        spans.append(
            span(trace, number, 1, name=name, start_ns=START + number * MS, ms=5,
                 agentops__span__kind="tool", agentops__entity__input=given)
        )  # fmt: skip
    assert server.post("/v1/traces", body(*spans)).status_code == 200


def test_sessions_are_aligned_and_part_where_they_do(module_server: Server) -> None:
    send(module_server, 0xA1, "one", [("plan", "x"), ("search", "a"), ("pay", "1"), ("mail", "m")])
    send(
        module_server,
        0xA2,
        "two",
        [("plan", "x"), ("search", "b"), ("check", "?"), ("pay", "1"), ("mail", "m")],
    )
    found = module_server.get("/api/compare", a="one", b="two")
    pairs = [
        (row["a"] and row["a"]["name"], row["b"] and row["b"]["name"], row["differs"])
        for row in found["rows"]
    ]
    assert pairs == [
        ("plan", "plan", []),
        ("search", "search", ["input"]),
        (None, "check", ["missing"]),
        ("pay", "pay", []),
        ("mail", "mail", []),
    ]
    assert found["first_divergence"] == 1
    assert {one["name"]: (one["a"], one["b"]) for one in found["tools"]} == {
        "plan": (1, 1), "search": (1, 1), "check": (0, 1), "pay": (1, 1), "mail": (1, 1),
    }  # fmt: skip
    assert found["a"] == module_server.get("/api/sessions/one")
    assert module_server.get("/api/compare", a="one", b="one")["first_divergence"] is None
    missing = module_server.http.get("/api/compare", params={"a": "one", "b": "nothing"})
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "session_not_found")
    assert missing.json()["error"]["message"] == "There is no session for b."


def test_a_parent_stands_before_what_starts_at_the_same_moment(module_server: Server) -> None:
    # The child's id is the smaller one of the pair in the second session only.
    for trace, session, parent, child in ((0xB1, "before", 5, 7), (0xB2, "behind", 7, 5)):
        spans = [
            span(trace, 1, name=session, start_ns=START, session__id=session, agentops__span__kind="session"),
            span(trace, parent, 1, name="work", start_ns=START, ms=9, agentops__span__kind="operation"),
            span(trace, child, parent, name="plan", start_ns=START, ms=9, agentops__span__kind="agent"),
        ]  # fmt: skip
        assert module_server.post("/v1/traces", body(*spans)).status_code == 200
    found = module_server.get("/api/compare", a="before", b="behind")
    assert [(row["a"]["name"], row["b"]["name"], row["differs"]) for row in found["rows"]] == [
        ("work", "work", []),
        ("plan", "plan", []),
    ]
    assert found["first_divergence"] is None


def test_the_same_step_of_two_models_is_a_pair(module_server: Server) -> None:
    for trace, session, models in (
        (0xC1, "large", ("gpt-4o", "gpt-4o", "gpt-4o")),
        (0xC2, "mixed", ("o3", "o3", "gpt-4o")),
    ):
        spans = [
            span(trace, 1, name=session, start_ns=START, session__id=session, agentops__span__kind="session")
        ]
        for number, model in enumerate(models, 2):
            said: dict[str, Any] = {"agentops__span__kind": "llm", "gen_ai__request__model": model}
            start = START + number * MS
            spans.append(span(trace, number, 1, name=f"chat {model}", start_ns=start, ms=5, **said))
        assert module_server.post("/v1/traces", body(*spans)).status_code == 200
    found = module_server.get("/api/compare", a="large", b="mixed")
    assert [(row["a"]["name"], row["b"]["name"], row["differs"]) for row in found["rows"]] == [
        ("chat gpt-4o", "chat o3", ["name", "model"]),
        ("chat gpt-4o", "chat o3", ["name", "model"]),
        ("chat gpt-4o", "chat gpt-4o", []),
    ]


def test_groups_are_told_apart_only_where_chance_does_not_explain(module_server: Server) -> None:
    pick = random.Random(3)
    for number in range(30):
        slow = number % 2
        tags = ["slow" if slow else "quick"] + (["slow", "quick"] if number >= 28 else [])
        send(module_server, 0xB00 + number, f"g{number}", [("t", str(number))], agentops__tags=tags,
             ms=pick.randrange(100, 200) * (3 if slow else 1))  # fmt: skip
    found = module_server.get("/api/compare/groups", tag_a="quick", tag_b="slow")
    assert (found["a"]["sessions"], found["b"]["sessions"], found["in_both"]) == (14, 14, 2)
    metrics = {one["metric"]: one for one in found["metrics"]}
    assert metrics["duration_ms"]["verdict"] == "differs"
    assert metrics["duration_ms"]["b_exceeds_a"] == 1
    assert metrics["events"]["verdict"] == "no_difference_shown"
    assert metrics["failed"]["p"] == pytest.approx(1)
    for side in ("a", "b"):
        assert sum(one[side] for one in metrics["duration_ms"]["bins"]) == 14
    few = module_server.get("/api/compare/groups", tag_a="quick", tag_b="nobody")
    assert {one["verdict"] for one in few["metrics"]} == {"too_few"}


def test_statistics_are_those_of_the_books() -> None:
    a, b = [1.0, 2, 2, 3, 4, 5, 6, 7], [3.0, 5, 6, 7, 8, 8, 9, 10]
    found = ranked(a, b)
    assert found is not None
    # By the definition: every pair, and the variance corrected for ties (2, 3, 5, 6, 7 and 8 come twice).
    u = sum(1.0 if two > one else 0.5 if two == one else 0.0 for one in a for two in b)
    deviation = math.sqrt(8 * 8 / 12 * (17 - 6 * (2**3 - 2) / (16 * 15)))
    p = 2 * (1 - NormalDist().cdf((u - 32 - 0.5) / deviation))
    assert found.b_exceeds_a == pytest.approx(u / 64)
    assert found.p == pytest.approx(p)
    assert ranked([], [1]) is None
    same = ranked([2, 2, 2], [2, 2])
    assert same is not None
    assert (same.p, same.b_exceeds_a) == (1, 0.5)
    # The lady who tasted tea.
    assert fisher(3, 4, 1, 4) == pytest.approx(0.485714, abs=1e-6)
    assert fisher(0, 10, 0, 10) == pytest.approx(1)
    assert interval(5, 10) == pytest.approx((0.236593, 0.763407), abs=1e-6)
    assert interval(0, 0) is None
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
