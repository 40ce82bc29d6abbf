"""Prices of one's own: what a file may say, and what is told when it is wrong."""

from __future__ import annotations

import time
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agentops.errors import SettingError
from agentops.server import prices
from agentops.server.pricelist import PriceList, own_prices, read_prices

DAY = int(datetime(2026, 3, 3, tzinfo=UTC).timestamp()) * 10**9


@pytest.fixture
def built_in_prices() -> Generator[None]:
    yield
    prices.use(PriceList())


def usd(provider: str, model: str, at_ns: int = DAY, cache_read: int = 0) -> float | None:
    found = prices.cost(provider, (model,), at_ns, entered=1_000_000, left=1_000_000, cache_read=cache_read)
    return None if found is None else float(found.usd)


@pytest.mark.usefixtures("built_in_prices")
def test_a_file_of_the_home_wins_over_the_built_in_prices(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text(
        """
        [[price]]
        model = "gpt-4o"
        input = 1.0
        output = 3.5
        cache_read = 0.1

        [[price]]
        model = "House-[7B]-*"
        provider = "vllm"
        input = 0.25
        output = 0
        request = 0.002
        """
    )
    prices.use(own_prices(tmp_path, None))
    assert usd("openai", "gpt-4o") == 4.5
    assert usd("openai", "gpt-4o", cache_read=500_000) == 4.05
    assert usd("openai", "gpt-4o-mini") == 0.75
    assert usd("vllm", "house-[7b]-instruct") == 0.252
    assert usd("other", "house-[7b]-instruct") is None
    found = prices.cost("vllm", ("house-[7b]-x",), DAY, entered=8, left=0)
    assert found is not None
    assert [(line.kind, line.tokens, line.usd, line.source) for line in found.lines] == [
        ("input", 8, 0.000002, "prices.toml"),
        ("request", 1, 0.002, "prices.toml"),
    ]


@pytest.mark.usefixtures("built_in_prices")
def test_prices_change_on_the_day_they_say_and_the_last_entry_wins(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(
        '{"price": [{"model": "m", "input": 1, "output": 0}, {"model": "m", "input": 2, "output": 0},'
        ' {"model": "m", "from": "2026-03-03", "input": 4, "output": 0}]}'
    )
    prices.use(own_prices(tmp_path, str(path)))
    assert (usd("", "m", DAY - 1), usd("", "m", DAY)) == (2.0, 4.0)


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    assert own_prices(tmp_path, None) == PriceList()
    with pytest.raises(SettingError, match="there is no file"):
        own_prices(tmp_path, str(tmp_path / "away.toml"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("price = 3", "has no list of entries named price"),
        ("[[price]]\ninput = 1", "entry 1 .* needs a model"),
        ('[[price]]\nmodel = "a"', "entry 1 .* has no price"),
        ('[[price]]\nmodel = "a"\ninput = -1', "input must be a number of dollars from 0 up"),
        ('[[price]]\nmodel = "a"\ninput = "1"', "input must be a number of dollars"),
        ('[[price]]\nmodel = "a"\ninput = nan', "input must be a number of dollars from 0 up"),
        ('[[price]]\nmodel = "a"\ninput = true', "input must be a number of dollars"),
        (
            '[[price]]\nmodel = "a"\ninputs = 1',
            "has a field 'inputs'. Known fields: model, provider, from, input",
        ),
        ('[[price]]\nmodel = "a"\ninput = 1\nfrom = "soon"', "from must be a day such as"),
        ('[[price]]\nmodel = "a"\ninput = 1\n[[price]]\nmodel = ""', "entry 2 .* needs a model"),
        ("[[price", "is not valid TOML"),
        ('[[price]]\nmodel = "a"\ninput = 1' + "0" * 5000, "is not valid TOML"),
        ("price = " + "[" * 10_000, "is not valid TOML"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(SettingError, match=told):
        read_prices(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [("p.toml", '[[price]]\nmodel = "a"\ninput = 1'), ("p.JSON", '{"price": [{"model": "a", "input": 1}]}')],
)
def test_a_file_of_another_systems_editor_is_read(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8-sig")
    assert len(read_prices(path).entries) == 1


@pytest.mark.usefixtures("built_in_prices")
def test_a_long_list_costs_a_call_no_more_than_a_short_one(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    entries = (f'[[price]]\nmodel = "m-{number}-*"\ninput = {number}\noutput = 0' for number in range(3000))
    path.write_text("\n".join(entries))
    prices.use(read_prices(path))
    begun = time.process_time()
    assert {usd("", "m-7-x") for _ in range(2000)} == {7.0}
    # Some 0.02 s; 1 s and more when each call looks through the list.
    assert time.process_time() - begun < 0.5
