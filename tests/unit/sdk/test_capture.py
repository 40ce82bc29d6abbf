"""What recorded values become: JSON where it can hold them, else their repr; cut where they are long."""

from __future__ import annotations

import datetime
import json
import math
import time
from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentops.sdk.capture import to_json

LIMIT = 10_000


def captured(value: Any, limit: int = LIMIT) -> Any:
    return json.loads(to_json(value, limit))


class Plain:
    def __repr__(self) -> str:
        return "<plain>"


class Leaving:
    def __repr__(self) -> str:
        raise SystemExit(1)


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@dataclass
class Point:
    x: int
    y: int


class Model(pydantic.BaseModel):
    name: str
    when: datetime.date


class Colour(Enum):
    RED = 1


class Level(IntEnum):
    LOW = 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        ({"a": [1, 2.5, True, None, "é"]}, {"a": [1, 2.5, True, None, "é"]}),
        ((1, 2), [1, 2]),
        ({1: "one", (2, 3): "two"}, {"1": "one", "(2, 3)": "two"}),
        (math.inf, "inf"),
        ({"x": math.nan}, {"x": "nan"}),
        (2**70, str(2**70)),
        ({"big": 2**70}, {"big": str(2**70)}),
        (Plain(), "<plain>"),
        ([Plain()], ["<plain>"]),
        (Broken(), "<Broken object; its repr raised RuntimeError>"),
        (Leaving(), "<Leaving object; its repr raised SystemExit>"),
        (b"\x00abc", "b'\\x00abc'"),
        (Decimal("1.50"), "Decimal('1.50')"),
        (datetime.date(2026, 1, 2), "datetime.date(2026, 1, 2)"),
        ({3}, "{3}"),
        (set[int](), "set()"),
        (deque([1, 2]), "deque([1, 2])"),
        (Point(1, 2), "Point(x=1, y=2)"),
        (Colour.RED, "<Colour.RED: 1>"),
        (Level.LOW, 1),
        (Model(name="n", when=datetime.date(2026, 1, 2)), {"name": "n", "when": "datetime.date(2026, 1, 2)"}),
        ("lone \ud800 surrogate", "lone ? surrogate"),
    ],
)
def test_a_value_is_recorded_as_json_or_as_its_repr(value: Any, shown: Any) -> None:
    assert captured(value) == shown


def test_a_value_that_contains_itself_ends_there() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    assert captured(loop) == [1, "… [list that contains itself]"]


@dataclass
class Node:
    name: str
    parent: Any = None


class Refusing:
    """Refuses every look at it but its repr, as proxies of things that are gone do."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        return "<refusing>"


class Spent(list[int]):
    def __iter__(self) -> Any:
        raise ValueError("read already")


def test_a_dataclass_that_contains_itself_ends_there() -> None:
    node = Node("root")
    node.parent = node
    assert captured({"node": node, "beside": 1}) == {
        "node": "Node(name='root', parent=… [Node that contains itself])",
        "beside": 1,
    }
    chain = Node("0")
    for number in range(5000):
        chain = Node(str(number), chain)
    assert "Node deeper than" in captured(chain)


def test_a_value_that_refuses_to_be_looked_into_costs_nothing_beside_it() -> None:
    found = captured({"before": 1, "it": Refusing(), "after": [1, Spent([1]), 3]})
    assert found == {"before": 1, "it": "<refusing>", "after": [1, "[1]", 3]}
    assert captured(Node("n", Refusing())) == "Node(name='n', parent=<refusing>)"


class Telling:
    def __repr__(self) -> str:
        return f"<{captured(self)}>"


class Dumping(pydantic.BaseModel):
    name: str

    @pydantic.field_serializer("name")
    def said(self, name: str) -> str:
        return f"{name} of {captured(self)}"


def test_a_recorded_call_that_a_repr_makes_does_not_ask_for_the_repr_again() -> None:
    assert captured([Telling()]) == ["<<Telling inside its own repr>>"]
    assert captured(Dumping(name="n")) == {"name": "n of <Dumping inside its own repr>"}


def test_what_is_cut_says_how_long_it_was() -> None:
    text = captured("x" * 100_000)
    assert text.startswith("xxx")
    assert text.endswith("… [cut: 100000 characters]")
    items = captured(list(range(100_000)))
    assert items[0] == 0
    assert items[-1].endswith("of 100000 items]")
    entries = captured({str(number): number for number in range(100_000)})
    assert entries["…"].endswith("of 100000 entries]")
    nested = captured({"messages": [{"content": "y" * 50_000}], "after": 1})
    assert "cut: 50000 characters" in nested["messages"][0]["content"]


def test_huge_values_cost_no_time() -> None:
    huge: Any = [{"rows": list(range(1000))} for _ in range(2000)]
    values: list[Any] = [huge, set(range(1_000_000)), {"text": "é" * 10_000_000}]
    began = time.perf_counter()
    for value in values:
        to_json(value, LIMIT)
    assert time.perf_counter() - began < 0.2


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner)
    ),
    max_leaves=30,
)


@given(VALUES, st.integers(256, 5000))
def test_any_value_becomes_json_within_its_size(value: Any, limit: int) -> None:
    text = to_json(value, limit)
    json.loads(text)
    # JSON's escapes may make six characters of one.
    assert len(text.encode()) <= 8 * limit
