"""Large bodies are read by other processes, and nobody can tell."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec.structs import asdict

from agentops.otlp.refusal import MalformedBody
from agentops.server import prices
from agentops.server.ingest.decoders import Decoders
from agentops.server.pricelist import PriceList, read_prices
from agentops.server.store.facts import ENDED_BIT, Fact
from agentops.server.store.write import SPAN_COLUMNS
from tests.spans import body, span
from tests.waiting import eventually

_AT = 1_790_000_000_000_000_000


def large(trace: int, **more: Any) -> bytes:
    """Return a body with calls of a model, a resource, and a span that is refused."""
    spans = [
        span(
            trace,
            number,
            start_ns=_AT,
            gen_ai__operation__name="chat",
            gen_ai__request__model="gpt-4o",
            gen_ai__system="openai",
            gen_ai__usage__input_tokens=number,
            gen_ai__usage__output_tokens=7,
            some__text="ἀλήθεια " * 100,
            **more,
        )
        for number in range(1, 200)
    ]
    return json.dumps(
        body(*spans, {**spans[0], "traceId": "none"}, resource={"service.name": "shop"})
    ).encode()


def timeless(row: bytes) -> list[Any]:
    """Return a row without what says when it was received."""
    found = dict(zip(SPAN_COLUMNS, json.loads(row), strict=True))
    received = found.pop("received_at")
    assert found.pop("version") & ~ENDED_BIT >= received >= found.pop("seen_at")
    return list(found.items())


def timeless_fact(one: Fact) -> dict[str, Any]:
    """Return a fact without what says when it was received."""
    return {name: value for name, value in asdict(one).items() if name not in ("version", "seen_at")}


def own_decoders() -> list[psutil.Process]:
    """Return the decoders that this process has started and that live."""
    found: list[psutil.Process] = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "agentops.server.ingest.decoder" in child.cmdline():
                found.append(child)
    return found


def bring_up(decoders: Decoders) -> None:
    """Send large bodies together until a decoder is ready."""

    def together() -> bool:
        if decoders.ready:
            return True
        threads = [
            threading.Thread(target=decoders.rows, args=(large(1), "json", "p", None)) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return bool(decoders.ready)

    eventually(together, within_s=60)


@pytest.fixture(scope="module")
def shared() -> Iterator[Decoders]:
    decoders = Decoders(most=1)
    bring_up(decoders)
    yield decoders
    decoders.close()
    assert not own_decoders()


@pytest.fixture
def decoders(shared: Decoders) -> Iterator[Decoders]:
    """The decoders, with one that is ready; the prices of one's own are forgotten afterwards."""
    bring_up(shared)
    yield shared
    prices.use(PriceList())


def test_rows_are_the_same_wherever_they_are_made(decoders: Decoders) -> None:
    given = (large(2, session__id="one"), "json", "mine", _AT - 5)
    (process,) = own_decoders()
    before, before_ns = process.cpu_times(), time.time_ns()
    there = decoders.rows(*given)
    assert process.cpu_times() != before
    here = Decoders(most=0).rows(*given)
    assert [timeless(one) for one in there[0].spans] == [timeless(one) for one in here[0].spans]
    assert len(here[0].spans) == 199
    assert there[0].resources == here[0].resources
    assert before_ns < there[0].received_at < here[0].received_at
    assert there[0].facts.keys() == here[0].facts.keys() == {("mine", f"{2:032x}")}
    for key, facts in here[0].facts.items():
        assert [timeless_fact(one) for one in there[0].facts[key]] == [timeless_fact(one) for one in facts]
    assert there[1] == here[1]
    assert [one.count for one in there[1]] == [1]


def test_prices_of_ones_own_are_used_there_as_soon_as_here(decoders: Decoders, tmp_path: Path) -> None:
    given = (large(3), "json", "mine", None)
    assert b'"genai-prices' in decoders.rows(*given)[0].spans[0]
    file = tmp_path / "prices.toml"
    file.write_text('[[price]]\nmodel = "gpt-4o"\ninput = 1000000\noutput = 0\n')
    own = read_prices(file)
    assert own.entries[0].rates["input"] == Decimal(1_000_000)
    prices.use(own)
    facts = decoders.rows(*given)[0].facts["mine", f"{3:032x}"]
    assert [one.cost_usd for one in facts] == [float(number) for number in range(1, 200)]


def test_a_body_that_cannot_be_read_is_refused_with_the_same_words(decoders: Decoders) -> None:
    bad = b"[" + b" " * 200_000
    with pytest.raises(MalformedBody) as there:
        decoders.rows(bad, "json", "mine", None)
    with pytest.raises(MalformedBody) as here:
        Decoders(most=0).rows(bad, "json", "mine", None)
    assert str(there.value) == str(here.value)
    assert decoders.ready == 1


def test_a_body_whose_decoder_is_killed_is_read_all_the_same(decoders: Decoders) -> None:
    (process,) = own_decoders()
    os.kill(process.pid, signal.SIGSTOP)
    given = large(4)
    found: list[int] = []
    thread = threading.Thread(
        target=lambda: found.append(len(decoders.rows(given, "json", "mine", None)[0].spans))
    )
    thread.start()
    eventually(lambda: not decoders.ready)
    os.kill(process.pid, signal.SIGKILL)
    thread.join(30)
    assert found == [199]
    assert decoders.alive == 0
    bring_up(decoders)


def test_small_bodies_and_one_after_the_other_start_none() -> None:
    decoders = Decoders(most=3)
    for number in range(5):
        decoders.rows(large(number + 10), "json", "mine", None)
    small = json.dumps(body(span(5, 1))).encode()
    threads = [threading.Thread(target=decoders.rows, args=(small, "json", "p", None)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert decoders.alive == 0
