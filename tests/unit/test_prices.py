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
from agentops.server.normalise.tokens import More
from tests.unit.normalise.spans import event

Used = dict[str, int | None]

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
EVENING = datetime(2026, 3, 3, 20, tzinfo=UTC)


def call(provider: str, model: str, used: Used, at: datetime = NOON, kind: str = "llm") -> Event:
    plain = event(
        {"agentops.span.kind": kind, "gen_ai.provider.name": provider, "gen_ai.response.model": model}
    )
    rare = {name: count for name, count in used.items() if name in More.__struct_fields__}
    return replace(
        plain,
        started_at=int(at.timestamp()) * 10**9,
        usage_more=json.dumps(rare) if rare else "",
        **{f"tokens_{name}": count for name, count in used.items() if name not in rare},
    )


def tokens(entered: int | None, left: int | None, **parts: int) -> Used:
    return {"input": entered, "output": left, **parts}


HAND_CHECKED: list[tuple[str, str, Used, str]] = [
    # 32 x 3.00 + 49 x 15.00: spoken to by OpenAI's protocol, and not OpenAI's
    ("openai", "grok-4", tokens(32, 49, reasoning=40), "0.0008310"),
    # 5000 x 0.02, and nobody said whose it is
    ("", "text-embedding-3-small", tokens(5000, None), "0.0001000"),
    # 10 x 5.00 + 100 x 8.00 + 10 x 10.00 + 1000 x 32.00: pictures have prices of their own
    ("openai", "gpt-image-1.5", tokens(110, 1010, input_image=100, output_image=1000), "0.0329500"),
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
    # the same as Vertex AI names it
    (
        "google",
        "projects/p/locations/us-central1/publishers/google/models/gemini-2.5-pro",
        tokens(1000, 500),
        "0.0062500",
    ),
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
    # 1500 x 2.00 + 300 x 8.00 = 3000 + 2400
    ("openai", "gpt-4.1", tokens(1500, 300), "0.0054000"),
    # (10000 - 8192) x 2.00 + 8192 x 0.50 + 12 x 8.00 = 3616 + 4096 + 96
    ("openai", "gpt-4.1-2025-04-14", tokens(10_000, 12, cache_read=8192), "0.0078080"),
    # 4321 x 0.40 + 765 x 1.60 = 1728.4 + 1224
    ("openai", "gpt-4.1-mini", tokens(4321, 765), "0.0029524"),
    # 999 x 0.10 + 1 x 0.40 = 99.9 + 0.4
    ("openai", "gpt-4.1-nano", tokens(999, 1), "0.0001003"),
    # 700 x 2.00 + 2100 x 8.00 = 1400 + 16800; 2048 of the 2100 are reasoning
    ("openai", "o3", tokens(700, 2100, reasoning=2048), "0.0182000"),
    # (3000 - 1024) x 1.10 + 1024 x 0.275 + 900 x 4.40 = 2173.6 + 281.6 + 3960
    ("openai", "o4-mini", tokens(3000, 900, cache_read=1024, reasoning=640), "0.0064152"),
    # 100 x 15 + 500 x 60 = 1500 + 30000
    ("openai", "o1", tokens(100, 500, reasoning=448), "0.0315000"),
    # 8000 x 0.25 + 1200 x 2.00 = 2000 + 2400
    ("openai", "gpt-5-mini", tokens(8000, 1200), "0.0044000"),
    # (5000 - 4096) x 0.05 + 4096 x 0.005 + 100 x 0.40 = 45.2 + 20.48 + 40
    ("openai", "gpt-5-nano", tokens(5000, 100, cache_read=4096), "0.0001057"),
    # 2000 x 0.50 + 400 x 1.50 = 1000 + 600
    ("openai", "gpt-3.5-turbo", tokens(2000, 400), "0.0016000"),
    # 1234 x 10 + 56 x 30 = 12340 + 1680
    ("openai", "gpt-4-turbo", tokens(1234, 56), "0.0140200"),
    # 12400 x 0.13 = 1612
    ("openai", "text-embedding-3-large", tokens(12_400, None), "0.0016120"),
    # 1000 x 0.10
    ("openai", "text-embedding-ada-002", tokens(1000, None), "0.0001000"),
    # of 900 in, 600 are sound: 300 x 4 + 600 x 32; of 500 out, 400: 100 x 16 + 400 x 64
    # = 1200 + 19200 + 1600 + 25600
    ("openai", "gpt-realtime", tokens(900, 500, input_audio=600, output_audio=400), "0.0476000"),
    # of 1000 in, 700 are sound; of 600 from the cache, 500: 200 x 0.60 + 200 x 10 + 100 x 0.06 + 500 x 0.30
    # of 100 out, 80: 20 x 2.40 + 80 x 20 = 120 + 2000 + 6 + 150 + 48 + 1600
    (
        "openai",
        "gpt-realtime-mini",
        tokens(1000, 100, cache_read=600, cache_read_audio=500, input_audio=700, output_audio=80),
        "0.0039240",
    ),
    # two searches at 0.01: 2000 x 0.25 + 300 x 2.00 + 20000 = 500 + 600 + 20000
    ("openai", "gpt-5-mini", tokens(2000, 300, web_searches=2), "0.0211000"),
    # through Azure at OpenAI's price: 1000 x 2.50 + 100 x 10.00
    ("azure.ai.openai", "gpt-4o", tokens(1000, 100), "0.0035000"),
    # 1000 x 15 + 200 x 75 = 15000 + 15000
    ("anthropic", "claude-opus-4-20250514", tokens(1000, 200), "0.0300000"),
    # the whole write stays for an hour: 100 x 3 + 2000 x 6.00 + 50 x 15 = 300 + 12000 + 750
    (
        "anthropic",
        "claude-sonnet-4-20250514",
        tokens(2100, 50, cache_write=2000, cache_write_1h=2000),
        "0.0130500",
    ),
    # of 3000 written 1000 stay for an hour:
    # 10 x 5 + 500 x 0.50 + 2000 x 6.25 + 1000 x 10 + 100 x 25 = 50 + 250 + 12500 + 10000 + 2500
    (
        "anthropic",
        "claude-opus-4-5",
        tokens(3510, 100, cache_read=500, cache_write=3000, cache_write_1h=1000),
        "0.0253000",
    ),
    # 50 x 1.00 + 10000 x 0.10 + 1000 x 5.00 = 50 + 1000 + 5000
    ("anthropic", "claude-haiku-4-5", tokens(10_050, 1000, cache_read=10_000), "0.0060500"),
    # 1000 x 0.80 + 100 x 4.00
    ("anthropic", "claude-3-5-haiku-20241022", tokens(1000, 100), "0.0012000"),
    # 4000 x 0.25 + 1000 x 1.25 = 1000 + 1250
    ("anthropic", "claude-3-haiku-20240307", tokens(4000, 1000), "0.0022500"),
    # three searches: 500 x 1.00 + 200 x 5.00 + 30000
    ("anthropic", "claude-haiku-4-5", tokens(500, 200, web_searches=3), "0.0315000"),
    # above 200,000 tokens everything is dearer: 210000 x 6 + 1000 x 22.50 = 1260000 + 22500
    ("anthropic", "claude-sonnet-4-5-20250929", tokens(210_000, 1000), "1.2825000"),
    # at 200,000 not yet: 200000 x 3 + 1000 x 15
    ("anthropic", "claude-sonnet-4-5-20250929", tokens(200_000, 1000), "0.6150000"),
    # the cached tokens make it long too: 20000 x 6 + 190000 x 0.60 + 100 x 22.50 = 120000 + 114000 + 2250
    ("anthropic", "claude-sonnet-4-5", tokens(210_000, 100, cache_read=190_000), "0.2362500"),
    # Bedrock has no price of its own for an hour: 100 x 3 + 2000 x 3.75 + 50 x 15 = 300 + 7500 + 750
    (
        "aws.bedrock",
        "anthropic.claude-sonnet-4-20250514-v1:0",
        tokens(2100, 50, cache_write=2000, cache_write_1h=2000),
        "0.0085500",
    ),
    # 1000 x 0.80 + 500 x 3.20
    ("aws.bedrock", "amazon.nova-pro-v1:0", tokens(1000, 500), "0.0024000"),
    # (4000 - 3000) x 0.30 + 3000 x 0.03 + 700 x 2.50 = 300 + 90 + 1750
    ("gcp.gemini", "gemini-2.5-flash", tokens(4000, 700, cache_read=3000, reasoning=500), "0.0021400"),
    # of 2000 in, 1500 are sound: 500 x 0.30 + 1500 x 1.00 + 100 x 2.50 = 150 + 1500 + 250
    ("gcp.gemini", "gemini-2.5-flash", tokens(2000, 100, input_audio=1500), "0.0019000"),
    # 10000 x 0.10 + 2000 x 0.40
    ("gcp.gemini", "gemini-2.5-flash-lite", tokens(10_000, 2000), "0.0018000"),
    # 1000 x 0.10 + 100 x 0.40
    ("gcp.vertex_ai", "gemini-2.0-flash", tokens(1000, 100), "0.0001400"),
    # 1000 x 0.10 + 1000 x 0.30
    ("mistral_ai", "mistral-small-latest", tokens(1000, 1000), "0.0004000"),
    # 2000 x 0.30 + 500 x 0.90
    ("mistral_ai", "codestral-latest", tokens(2000, 500), "0.0010500"),
    # 1000 x 0.05 + 1000 x 0.08
    ("groq", "llama-3.1-8b-instant", tokens(1000, 1000), "0.0001300"),
    # by day: (3000 - 2000) x 0.27 + 2000 x 0.07 + 500 x 1.10 = 270 + 140 + 550
    ("deepseek", "deepseek-chat", tokens(3000, 500, cache_read=2000), "0.0009600"),
    # 1000 x 2.50 + 200 x 10
    ("cohere", "command-a-03-2025", tokens(1000, 200), "0.0045000"),
    # (2000 - 1000) x 3 + 1000 x 0.75 + 100 x 15 = 3000 + 750 + 1500
    ("x_ai", "grok-4", tokens(2000, 100, cache_read=1000), "0.0052500"),
    # a price for the request beside the tokens: 100 x 1 + 300 x 1 + 12000
    ("perplexity", "sonar", tokens(100, 300), "0.0124000"),
    # 1000 x 3 + 100 x 15
    ("openrouter", "anthropic/claude-sonnet-4", tokens(1000, 100), "0.0045000"),
    # 1000 x 0.88 + 1000 x 0.88
    ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", tokens(1000, 1000), "0.0017600"),
    # (5000 - 4000) x 0.60 + 4000 x 0.15 + 100 x 2.50 = 600 + 600 + 250
    ("moonshot", "kimi-k2-0905-preview", tokens(5000, 100, cache_read=4000), "0.0014500"),
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
    lines = prices.explained(found.cost_detail)
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


SERVED: list[tuple[str, str, str, dict[str, int], str]] = [
    # 21 x 1.50 + 1024 x 0.15 + 200 x 3.00 (kept for an hour) + 56 x 1.875 + 8 x 7.50: half of it all
    ("anthropic", "claude-sonnet-4-5", "batch",
     {"cache_read": 1024, "cache_write": 256, "cache_write_1h": 200}, "0.0009501"),
    # 277 x 0.625 + 1024 x 0.0625 + 8 x 5.00 = 173.125 + 64 + 40
    ("openai", "gpt-5", "flex", {"cache_read": 1024}, "0.0002771"),
    # 277 x 2.50 + 1024 x 0.25 + 8 x 20.00 = 692.5 + 256 + 160
    ("openai", "gpt-5", "priority", {"cache_read": 1024}, "0.0011085"),
    # 1301 x 10.00 + 8 x 50.00: quicker answers of Claude's
    ("anthropic", "claude-opus-5", "fast", {}, "0.0134100"),
    # The list has no other price for it: 1301 x 3.00 + 8 x 15.00
    ("anthropic", "claude-sonnet-4-5", "priority", {}, "0.0040230"),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "model", "tier", "parts", "dollars"), SERVED)
def test_calls_that_are_served_otherwise(
    provider: str, model: str, tier: str, parts: dict[str, int], dollars: str
) -> None:
    given = call(provider, model, tokens(1301, 8, **parts), at=datetime(2026, 11, 20, tzinfo=UTC))
    rare = json.loads(given.usage_more or "{}")
    usual = prices.priced(given)
    found = prices.priced(replace(given, usage_more=json.dumps({**rare, "tier": tier})))
    assert f"{found.cost_usd:.7f}" == dollars
    names = {line["price"].removesuffix(f" ({tier})") for line in prices.explained(found.cost_detail)}
    assert names == {line["price"] for line in prices.explained(usual.cost_detail)}
    if found.cost_usd != usual.cost_usd:
        assert all(line["price"].endswith(f" ({tier})") for line in prices.explained(found.cost_detail))


@pytest.mark.parametrize(
    "given",
    [
        call("openai", "my-own-model", tokens(10, 10)),
        call("ollama", "mistral-nemo", tokens(10, 10)),
        call("hosted_vllm", "deepseek-r1", tokens(10, 10)),
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


@pytest.mark.parametrize(
    ("asked", "dollars"),
    [
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", 6.0),
        ("eu.anthropic.claude-haiku-4-5-20251001-v1:0", 6.6),
        ("arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc", 6.6),
    ],
)
def test_a_model_of_bedrock_costs_what_it_does_where_it_was_asked_for(asked: str, dollars: float) -> None:
    answered = call("aws", "claude-haiku-4-5-20251001", tokens(1_000_000, 1_000_000))
    assert prices.priced(replace(answered, request_model=asked)).cost_usd == dollars


def test_costs_have_no_noise_of_binary_fractions() -> None:
    # 480 x 1.25 + 108 x 10.00 = 600 + 1080; as binary fractions 0.0016799999999999999
    given = call("gcp.gemini", "gemini-2.5-pro", tokens(480, 108))
    assert repr(prices.priced(given).cost_usd) == "0.00168"
    assert [line["usd"] for line in prices.explained(prices.priced(given).cost_detail)] == [0.0006, 0.00108]


def test_a_detail_of_an_older_version_can_be_read() -> None:
    assert prices.explained('[{"class":"input","tokens":1}]') == [{"class": "input", "tokens": 1}]
    assert prices.explained("") == prices.explained("{}") == prices.explained("nonsense") == []


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
