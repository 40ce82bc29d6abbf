"""`q` against plain Python: any script, any letter case, parts of words, with indexes built and without."""

from __future__ import annotations

import functools
import json
import random
import re
from typing import Any

import pytest

from tests.serving import Server
from tests.spans import body, span

ALPHABETS = ("ab1", "退款申", "aB é_", "ДЖёд", 'q"\\\n', "a退 b款", "🚀x")
"""Few letters each, so that needles are near misses of many texts."""


def texts() -> list[str]:
    pick = random.Random(11)
    found = [
        "Refund for order 1042, nonrefundable",
        "客户要求退款，申请已提交",
        "search_orders(id=7)",
        '{"a": "b","c"}',
    ]
    found.append("Merhaba İstanbul, nasılsın")
    found += ["ΟΔΥΣΣΕΥΣ", "ο Οδυσσευς", "ΟΔΥΣΣΕΥΣΑ, ΠΑΣ"]
    for alphabet in ALPHABETS:
        found += ["".join(pick.choices(alphabet, k=pick.randrange(1, 14))) for _ in range(12)]
    return found


_TYPED = 21
"""Needles that somebody thought of."""
SIGNS = re.compile(r"[^\w\s]+")
NEEDLES = [
    *(
        "refund",
        "REFUND",
        "fundab",
        "order 1042",
        "要求退款",
        "退款，申",
        "款",
        "search_orders",
        "s(i",
        "İstanbul",
        "haba İs",
        "104",
        "ΟΔΥΣΣΕΥΣ",
        "οδυσσευς",
        "ΥΣ",
        "σς",
        "υς, π",
        '"',
        "{",
        '","',
        "\\",
    ),
    *(
        "".join(random.Random(seed).choices(alphabet, k=length))
        for seed, alphabet in enumerate(ALPHABETS)
        for length in (1, 2, 3, 4, 5)
    ),
]


@pytest.fixture(scope="module")
def store(module_server: Server) -> dict[str, list[str]]:
    """Store sessions whose calls say the texts, each in another place; return what each says."""
    said: dict[str, list[str]] = {}
    pick = random.Random(12)
    spans: list[dict[str, Any]] = []
    for number, text in enumerate(texts()):
        trace, session = pick.getrandbits(120) | 1, f"session-{number}"
        message = json.dumps(
            [{"role": "user", "parts": [{"type": "text", "content": text}]}], ensure_ascii=number % 8 == 0
        )
        place = number % 4
        given: dict[str, Any] = {"session__id": session}
        if place == 0:
            given |= {"gen_ai__operation__name": "chat", "gen_ai__input__messages": message}
        elif place == 1:
            given |= {"openinference__span__kind": "TOOL", "output__value": text}
        one = span(trace, 1, name=text if place == 2 else "step", error=text if place == 3 else None, **given)
        spans.append(one)
        said[session] = [text, "step" if place != 2 else ""]
    for start in range(0, len(spans), 10):
        assert module_server.post("/v1/traces", body(*spans[start : start + 10])).status_code == 200
    return said


def expected(said: dict[str, list[str]], needle: str) -> set[str]:
    wanted = lowered(needle.strip())
    return {session for session, texts in said.items() if any(wanted in lowered(text) for text in texts)}


def lowered(text: str) -> str:
    """Return a text in small letters; the two small forms of one Greek letter are the same."""
    return text.lower().replace("ς", "σ")


@pytest.mark.timeout(300)  # Some two hundred questions.
@pytest.mark.parametrize("merged", [False, True], ids=["as it came", "merged"])
def test_every_text_is_found_where_it_stands_and_nowhere_else(
    module_server: Server, store: dict[str, list[str]], store_engine: str, merged: bool
) -> None:
    if merged:
        answer = module_server.http.post("/api/store/compact", timeout=60)
        assert answer.status_code == 200
    wrong: dict[str, Any] = {}
    # A question to a cluster takes eight times as long. It is asked for some of each sort of letters: what is
    # typed goes another way to it, and shards answer together. What an index holds is the same in both.
    asked = NEEDLES
    if store_engine != "embedded":
        asked = NEEDLES[: _TYPED if merged else len(NEEDLES) : 4]
    for needle in asked:
        if not needle.strip():
            continue
        page = module_server.get("/api/sessions", q=needle, limit=500)
        found = {one["session_id"] for one in page["sessions"]}
        surplus = set[str]() if is_json(needle.strip().lower()) else found - expected(store, needle)
        missed = expected(store, needle) - found
        if surplus or missed or page["total"] != len(found):
            wrong[needle] = (
                {one: store[one] for one in surplus},
                {one: store[one] for one in missed},
                page["total"],
            )
    assert wrong == {}


@pytest.fixture(scope="module")
def described(module_server: Server) -> str:
    """Store sessions whose attributes alone hold a text; return it."""
    wasted: dict[str, Any] = {"gen_ai__operation__name": "execute_tool", "gen_ai__tool__name": "look_up"}
    spans = [
        span(
            0xA77 + of,
            number,
            ms=5,
            error="it broke",
            session__id=f"described-{of}",
            agentops__tags=[f"described-{of}"],
            user__id=f"described-{of}",
            deployment__ring="violetta",
            **wasted,
        )
        for of in (1, 2)
        for number in (1, 2)
    ]
    spans.append(span(0xA76, 1, name="asks for the ring violetta-two", session__id="described-3"))
    spans.append(
        span(0xA75, 1, session__id="described-4", user__id="nobody's", deployment__ring="violetta-two")
    )
    assert module_server.post("/v1/traces", body(*spans)).status_code == 200
    return "violetta"


def test_what_only_attributes_hold_is_counted_by_every_question(
    module_server: Server, described: str
) -> None:
    """What is told of the sessions that a list names is told of the same ones."""
    asked = {"q": described, "tag": "described-1"}
    assert module_server.get("/api/sessions", **asked)["total"] == 1
    ask = functools.partial(module_server.get, **asked)
    found = {
        "totals": ask("/api/analytics")["totals"]["events"]["error"],
        "tools": [one["count"] for one in ask("/api/analytics/breakdown", by="tool")["groups"]],
        "users": [one["count"] for one in ask("/api/analytics/breakdown", by="user")["groups"]],
        "errors": [one["count"] for one in ask("/api/analytics/errors")["errors"]],
        "waste": [one["count"] for one in ask("/api/analytics/waste")["headings"]],
        "compared": ask("/api/compare/groups", tag_a="described-1", tag_b="described-2")["a"]["sessions"],
    }
    assert found == {
        "totals": 2,
        "tools": [2],
        "users": [1],
        "errors": [2],
        "waste": [2],
        "compared": 1,
    }


@pytest.mark.parametrize("facet", ["user", "tool", "error"])
def test_a_facet_without_values_counts_no_other_sessions(
    module_server: Server, described: str, facet: str
) -> None:
    needle = f"{described}-two"
    listed = module_server.get("/api/sessions", q=needle)["sessions"]
    assert [one["session_id"] for one in listed] == ["described-3"]
    counted = module_server.get("/api/sessions/facets", q=needle, facet=facet)[facet]
    assert counted == ([{"value": "false", "count": 1}] if facet == "error" else [])
    assert module_server.get("/api/analytics/breakdown", q=needle, by="user")["groups"] == []


def is_json(needle: str) -> bool:
    """Whether JSON's own words and the quotes around a text may be what holds this."""
    words = '[{"role":"user","parts":[{"type":"text","content":"\\"}]}]\\n'
    return not SIGNS.fullmatch(needle) and (needle in words or needle.startswith('"') or needle.endswith('"'))
