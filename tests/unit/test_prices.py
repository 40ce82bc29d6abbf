"""Costs, checked by hand. The prices are those of the locked genai-prices; a newer one may change them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from msgspec.structs import replace

from agentops.server import prices
from agentops.server.normalise import Event
from tests.unit.normalise.spans import event

Used = dict[str, int | None]

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
EVENING = datetime(2026, 3, 3, 20, tzinfo=UTC)


def call(provider: str, model: str, used: Used, at: datetime = NOON, kind: str = "llm") -> Event:
    plain = event(
        {"agentops.span.kind": kind, "gen_ai.provider.name": provider, "gen_ai.response.model": model}
    )
    return replace(
        plain,
        started_at=int(at.timestamp()) * 10**9,
        **{f"tokens_{name}": count for name, count in used.items()},
    )


def tokens(entered: int | None, left: int | None, **parts: int) -> Used:
    return {"input": entered, "output": left, **parts}


HAND_CHECKED: list[tuple[str, str, Used, str]] = [
    # 752 x 2.50 + 100 x 10.00 = 2880
    ("openai", "gpt-4o", tokens(752, 100), "0.0028800"),
    # (1200 - 1024) x 2.50 + 1024 x 1.25 + 48 x 10.00 = 440 + 1280 + 480; reasoning is in the 48
    ("openai", "gpt-4o-2024-08-06", tokens(1200, 48, cache_read=1024, reasoning=40), "0.0022000"),
    # 2532 x 0.15 + 557 x 0.60 = 379.8 + 334.2
    ("openai", "gpt-4o-mini", tokens(2532, 557), "0.0007140"),
    # 500 x 1.25 + 2000 x 10.00 = 625 + 20000
    ("openai", "gpt-5", tokens(500, 2000, reasoning=1500), "0.0206250"),
    # 5000 x 0.02 = 100
    ("openai", "text-embedding-3-small", tokens(5000, None), "0.0001000"),
    # 21 x 3.00 + 1024 x 0.30 + 256 x 3.75 + 8 x 15.00 = 63 + 307.2 + 960 + 120
    ("anthropic", "claude-sonnet-4-20250514", tokens(1301, 8, cache_read=1024, cache_write=256), "0.0014502"),
    # the same through Bedrock by its own name for a 3.5: 1000 x 3.00 + 100 x 15.00
    ("aws.bedrock", "anthropic.claude-3-5-sonnet-20240620-v1:0", tokens(1000, 100), "0.0045000"),
    # 1000 x 1.25 + 500 x 10.00
    ("gcp.gemini", "gemini-2.5-pro", tokens(1000, 500), "0.0062500"),
    # above 200,000 tokens all of them cost 2.50, and the answer 15.00: 250000 x 2.50 + 1000 x 15.00
    ("gcp.gen_ai", "gemini-2.5-pro", tokens(250_000, 1000), "0.6400000"),
    # 1000 x 0.59 + 1000 x 0.79
    ("groq", "llama-3.3-70b-versatile", tokens(1000, 1000), "0.0013800"),
    # 1000 x 2.00 + 500 x 6.00
    ("mistral_ai", "mistral-large-latest", tokens(1000, 500), "0.0050000"),
    # no provider named: the model tells
    ("", "gpt-4o", tokens(752, 100), "0.0028800"),
    # the maker before a slash
    ("litellm-proxy", "openai/gpt-4o", tokens(752, 100), "0.0028800"),
]


@pytest.mark.parametrize(("provider", "model", "used", "dollars"), HAND_CHECKED)
def test_calls_checked_by_hand(provider: str, model: str, used: Used, dollars: str) -> None:
    kind = "embedding" if used["output"] is None else "llm"
    found = prices.priced(call(provider, model, used, kind=kind))
    assert found.cost_usd is not None
    assert f"{found.cost_usd:.7f}" == dollars
    assert found.cost_source == "computed"


def test_a_price_that_changes_with_the_hour() -> None:
    noon = prices.priced(call("deepseek", "deepseek-chat", tokens(1_000_000, 0), NOON))
    evening = prices.priced(call("deepseek", "deepseek-chat", tokens(1_000_000, 0), EVENING))
    assert (noon.cost_usd, evening.cost_usd) == (0.27, 0.135)


def test_the_arithmetic_is_kept_and_bills_each_token_once() -> None:
    used = tokens(1301, 8, cache_read=1024, cache_write=256)
    found = prices.priced(call("anthropic", "claude-sonnet-4-20250514", used))
    lines = json.loads(found.cost_detail)
    assert [(line["class"], line["tokens"], line["usd_per_million"]) for line in lines] == [
        ("input", 21, 3.0),
        ("cache_read", 1024, 0.3),
        ("cache_write", 256, 3.75),
        ("output", 8, 15.0),
    ]
    assert sum(line["tokens"] for line in lines) == 1309
    assert round(sum(line["usd"] for line in lines), 12) == found.cost_usd
    assert {(line["price"], line["date"], line["source"].partition(" ")[0]) for line in lines} == {
        ("anthropic/claude-sonnet-4-0", "2026-03-03", "genai-prices")
    }


@pytest.mark.parametrize(
    "given",
    [
        call("openai", "my-own-model", tokens(10, 10)),
        call("openai", "", tokens(10, 10)),
        call("openai", "gpt-4o", {}),
        call("openai", "gpt-4o", tokens(None, 10)),
        call("openai", "gpt-4o", tokens(10, None)),
        call("openai", "gpt-4o", tokens(10, 10), kind="agent"),
        call("openai", "gpt-4o", tokens(10, 10), kind="operation"),
        replace(call("openai", "gpt-4o", tokens(10, 10)), ended=False),
    ],
)
def test_what_is_not_known_or_no_call_has_no_cost(given: Event) -> None:
    assert prices.priced(given) is given
    assert given.cost_usd is None


def test_a_reported_cost_wins() -> None:
    reported = replace(call("openai", "gpt-4o", tokens(10, 10)), cost_usd=1.5, cost_source="reported")
    assert prices.priced(reported) == reported


def test_a_model_of_unknown_price_is_tried_by_the_name_asked_for() -> None:
    given = replace(call("openai", "ft-internal-7", tokens(752, 100)), request_model="gpt-4o")
    assert prices.priced(given).cost_usd == 0.00288


def models() -> list[Any]:
    found: list[Any] = []
    for provider in get_snapshot().providers:
        found += [(provider, model) for model in provider.models]
    return found


def test_every_model_costs_what_its_price_table_says() -> None:
    compared = 0
    for provider, model in models():
        for used in (tokens(1000, 200, cache_read=300, cache_write=100, reasoning=50), tokens(300_000, 10)):
            found = prices.cost(
                provider.id,
                (model.id,),
                int(NOON.timestamp()) * 10**9,
                entered=used["input"] or 0,
                left=used["output"] or 0,
                cache_read=used.get("cache_read") or 0,
                cache_write=used.get("cache_write") or 0,
                reasoning=used.get("reasoning") or 0,
            )
            if found is None or found.lines[0].price != f"{provider.id}/{model.id}":
                continue
            usage = Usage(
                input_tokens=used["input"],
                output_tokens=used["output"],
                cache_read_tokens=used.get("cache_read"),
                cache_write_tokens=used.get("cache_write"),
                output_reasoning_tokens=used.get("reasoning"),
            )
            told = model.calc_price(usage, provider, genai_request_timestamp=NOON)
            assert found.usd == told.total_price, (provider.id, model.id, used)
            compared += 1
    assert compared > 1500


def test_the_price_table_is_not_loaded_before_it_is_needed() -> None:
    script = "import sys, agentops.server.prices; sys.exit('genai_prices' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
