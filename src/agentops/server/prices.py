"""What a model call costs, from prices of one's own (pricelist.py) and from genai-prices.

A reported cost is never touched. A computed one carries its arithmetic: one line per class of tokens, each
token in one class only, with the price that was used and where it is from. What is not known (the model, its
price, the number of tokens) has no cost rather than a cost of zero.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, cast

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from agentops.server.normalise.event import Event
from agentops.server.normalise.tokens import More, more
from agentops.server.pricelist import OwnPrice, PriceList, in_force

PRICED_KINDS: Final = frozenset(("llm", "embedding"))
_ENCODER: Final = msgspec.json.Encoder()
_NO_MORE: Final = More()
_ZERO: Final = Decimal(0)
_DAY_NS: Final = 86_400 * 10**9
_KEYS: Final[Mapping[str, str]] = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "reasoning": "output_reasoning_mtok",
    "input_audio": "input_audio_mtok",
    "output_audio": "output_audio_mtok",
    "input_image": "input_image_mtok",
    "output_image": "output_image_mtok",
    "cache_read_audio": "cache_audio_read_mtok",
    "cache_read_image": "cache_image_read_mtok",
}
"""Our classes of tokens, and their names in genai-prices."""
_COUNTED: Final[Mapping[str, str]] = {"request": "requests_kcount", "web_search": "web_searches_kcount"}
_CHARACTERS: Final = "input_mchars"
_HOURS: Final = ("audio_hours", "input_audio_hours")
_SECONDS: Final = Decimal(3600)
_MEASURED: Final = ("character", "audio_second")
_MILLION: Final = Decimal(1_000_000)
_THOUSAND: Final = Decimal(1000)
_MOST_REMEMBERED: Final = 4096
_PROVIDERS: Final[Mapping[str, str]] = {
    "amazon_bedrock": "aws",
    "bedrock": "aws",
    "gcp.gen_ai": "google",
    "google_genai": "google",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "vertexai": "google",
    "x_ai": "x-ai",
    "xai": "x-ai",
}
"""Names of providers in use that genai-prices does not match itself."""
_OWN_MACHINES: Final = ("ollama", "ollama_chat", "vllm", "hosted_vllm", "lm_studio", "llamafile", "llama_cpp")
"""What runs models on machines of one's own: the price that their maker asks for them is nobody's there."""


class Line(Struct, frozen=True, gc=False, rename={"kind": "class"}):
    """One line of the arithmetic: tokens of one class at the price that was in force on `date`.

    For requests, searches, characters and seconds `tokens` counts those; `usd_per_million` is a million times
    the price of one.
    """

    kind: str
    tokens: int
    usd_per_million: float
    usd: float
    price: str
    date: str
    source: str


class Detail(Struct, frozen=True, gc=False):
    """How a cost came about, as it is stored: what all lines share once, the products not at all.

    Attributes:
        price: The entry of the price list.
        date: The day whose price it is.
        source: The price list.
        terms: (class, tokens, dollars for a million).
    """

    price: str
    date: str
    source: str
    terms: list[tuple[str, int, float]]


class Priced(Struct, frozen=True, gc=False):
    """A computed cost and how it came about."""

    usd: Decimal
    detail: Detail

    @property
    def lines(self) -> list[Line]:
        """The arithmetic."""
        return _lines(self.detail)


def priced(event: Event) -> Event:
    """Return the event with its cost, if it is a model call whose cost is not reported but computable."""
    if event.kind not in PRICED_KINDS or event.cost_source or not event.ended or not event.model:
        return event
    found = cost_of(
        event.provider,
        event.model,
        event.request_model,
        event.started_at,
        kind=event.kind,
        entered=event.tokens_input,
        left=event.tokens_output,
        cache_read=event.tokens_cache_read,
        cache_write=event.tokens_cache_write,
        reasoning=event.tokens_reasoning,
        usage_more=event.usage_more,
    )
    if found is None:
        return event
    return replace(
        event, cost_usd=float(found.usd), cost_source="computed", cost_detail=written(found.detail)
    )


def cost_of(
    provider: str,
    model: str,
    request_model: str,
    at_ns: int,
    *,
    kind: str,
    entered: int | None,
    left: int | None,
    cache_read: int | None,
    cache_write: int | None,
    reasoning: int | None,
    usage_more: str,
) -> Priced | None:
    """Return what a call costs by what is stored of it; None when its tokens or its price are not known."""
    unknown = entered is None or (left is None and kind == "llm")
    if unknown and not usage_more:
        return None
    rare = more(usage_more) if usage_more else _NO_MORE
    counts = [0 if unknown else entered or 0, 0 if unknown else left or 0, cache_read or 0, cache_write or 0]
    for _, *apart in rare.advised:
        counts = [max(0, whole - part) for whole, part in zip(counts, apart, strict=True)]
    # The price of Bedrock's models depends on the region, which only the request's name of a model tells.
    regional = _PROVIDERS.get(provider, provider) == "aws" and model in request_model
    found = cost(
        provider,
        (request_model, model) if regional else (model, request_model),
        at_ns,
        entered=counts[0],
        left=counts[1],
        cache_read=counts[2],
        cache_write=counts[3],
        reasoning=reasoning or 0,
        rare=rare,
    )
    if found is None or (unknown and not any(term[0] in _MEASURED for term in found.detail.terms)):
        return None
    return _with_advice(found, provider, at_ns, rare) if rare.advised else found


def _with_advice(found: Priced, provider: str, at_ns: int, rare: More) -> Priced | None:
    """Return a cost with that of the models that the call's model asked; None where one has no price."""
    usd, terms = found.usd, [*found.detail.terms]
    for model, entered, left, read, written_ in rare.advised:
        advice = cost(
            provider, (model,), at_ns, entered=entered, left=left, cache_read=read, cache_write=written_
        )
        if advice is None:
            return None
        usd += advice.usd
        name = advice.detail.price.rpartition("/")[2]
        terms += [(f"{kind} of {name}", tokens, price) for kind, tokens, price in advice.detail.terms]
    return Priced(usd, Detail(found.detail.price, found.detail.date, found.detail.source, terms))


def cost(
    provider: str,
    models: tuple[str, ...],
    at_ns: int,
    *,
    entered: int,
    left: int,
    cache_read: int = 0,
    cache_write: int = 0,
    reasoning: int = 0,
    rare: More | None = None,
) -> Priced | None:
    """Return what a call costs, or None when the model or its price is not known.

    Args:
        provider: Who answered, or "" when not known.
        models: Names of the model, the most telling first.
        at_ns: When the call was made, unix nanoseconds: prices change, and some change with the hour.
        entered: Tokens in, those of the cache included.
        left: Tokens out, reasoning included.
        cache_read: Part of `entered` read from a cache.
        cache_write: Part of `entered` written to a cache.
        reasoning: Part of `left` spent on reasoning.
        rare: What few calls use.
    """
    found = _rates(provider, models, at_ns, rare.tier if rare is not None else "")
    if found is None:
        return None
    identity, source, rates = found
    whole = entered
    terms: list[tuple[str, int, float]] = []
    usd = _ZERO
    # A class without a price of its own is billed as the class that it is a part of.
    going_in: list[tuple[str, int]] = []
    if cache_read:
        going_in += _read(rare, cache_read, rates)
    if cache_write:
        hour = min(rare.cache_write_1h, cache_write) if rare is not None else 0
        if hour and "cache_write_1h" in rates:
            going_in.append(("cache_write_1h", hour))
            cache_write -= hour
        going_in.append(("cache_write", cache_write))
    coming_out: list[tuple[str, int]] = []
    if reasoning:
        coming_out.append(("reasoning", reasoning))
    if rare is not None and rare is not _NO_MORE:
        held = rare if "cache_read" in rates else _NO_MORE
        going_in.append(("input_audio", max(0, rare.input_audio - held.cache_read_audio)))
        going_in.append(("input_image", max(0, rare.input_image - held.cache_read_image)))
        coming_out += (("output_audio", rare.output_audio), ("output_image", rare.output_image))
    billed: list[tuple[str, int]] = []
    for kind, tokens in going_in:
        apart = min(tokens, entered)
        if apart and kind in rates:
            entered -= apart
            billed.append((kind, apart))
    billed.insert(0, ("input", entered))
    for kind, tokens in coming_out:
        apart = min(tokens, left)
        if apart and kind in rates:
            left -= apart
            billed.append((kind, apart))
    billed.append(("output", left))
    for kind, tokens in billed:
        rate = rates.get(kind)
        if not tokens or rate is None:
            continue
        price = rate if type(rate) is Decimal else _tiered(rate, whole)
        usd += price * tokens
        terms.append((kind, tokens, float(price)))
    if "request" in rates:
        price = _tiered(rates["request"], whole) * _MILLION
        usd += price
        terms.append(("request", 1, float(price)))
    if rare is not None and rare.web_searches and "web_search" in rates:
        price = _tiered(rates["web_search"], whole) * _MILLION
        usd += price * rare.web_searches
        terms.append(("web_search", rare.web_searches, float(price)))
    if rare is not None and rare is not _NO_MORE:
        for kind, measured in (("character", rare.characters), ("audio_second", rare.audio_seconds)):
            if measured and kind in rates:
                price = _tiered(rates[kind], measured)
                usd += price * measured
                terms.append((kind, measured, float(price)))
    if not terms and rates.keys().isdisjoint(("input", "output")):
        return None  # It is billed by what is not known of the call.
    return Priced(usd / _MILLION, Detail(identity, _day(at_ns), source, terms))


def _read(rare: More | None, cache_read: int, rates: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return what was read from a cache by its classes: sound and pictures may have prices of their own."""
    if rare is None or not (rare.cache_read_audio or rare.cache_read_image):
        return [("cache_read", cache_read)]
    found: list[tuple[str, int]] = []
    for kind, tokens in (
        ("cache_read_audio", rare.cache_read_audio),
        ("cache_read_image", rare.cache_read_image),
    ):
        apart = min(tokens, cache_read) if kind in rates else 0
        cache_read -= apart
        found.append((kind, apart))
    return [("cache_read", cache_read), *found]


def written(detail: Detail) -> str:
    """Return a detail as text for the store."""
    return _ENCODER.encode(detail).decode()


def explained(text: str) -> list[dict[str, Any]]:
    """Return the arithmetic behind a stored cost, one object a line; [] when there is none."""
    try:
        meaning: Any = msgspec.json.decode(text) if text else []
        if isinstance(meaning, list):
            # As the first versions wrote it: line by line.
            return cast("list[dict[str, Any]]", meaning)
        return msgspec.to_builtins(_lines(msgspec.convert(meaning, Detail)))
    except (msgspec.DecodeError, msgspec.ValidationError):
        return []


def _lines(detail: Detail) -> list[Line]:
    return [
        Line(
            kind,
            tokens,
            rate,
            float(Decimal(repr(rate)) * tokens / _MILLION),
            detail.price,
            detail.date,
            detail.source,
        )
        for kind, tokens, rate in detail.terms
    ]


class _Own:
    """A file of prices, and which of its entries fit a model: a long list is looked through once for each."""

    def __init__(self, prices: PriceList) -> None:
        self.prices = prices
        self._fitting: dict[tuple[str, str], tuple[OwnPrice, ...]] = {}

    def find(self, provider: str, model: str, at_ns: int) -> OwnPrice | None:
        fitting = self._fitting.get((provider, model))
        if fitting is None:
            if len(self._fitting) >= _MOST_REMEMBERED:
                self._fitting.clear()
            fitting = self._fitting[provider, model] = self.prices.fitting(provider, model)
        return in_force(fitting, at_ns)


_own = _Own(PriceList())


def use(own: PriceList) -> None:
    """Take the prices of a file before the built-in ones, for all calls that are priced from now on."""
    global _own
    _own = _Own(own)


def in_use() -> PriceList:
    """Return the list that `use` was given last."""
    return _own.prices


def warm() -> None:
    """Load the price table (some 0.7 s), so that the first call to be priced need not wait for it."""
    _lookup("openai", "gpt-4o")


def _tiered(rate: Any, tokens_input: int) -> Decimal:
    """Return the rate that applies: some models charge more for every token of a long input."""
    if isinstance(rate, Decimal):
        return rate
    applies: Decimal = rate.base
    for tier in rate.tiers:
        if tokens_input > tier.start:
            applies = tier.price
    return applies


_days: dict[int, str] = {}


def _day(at_ns: int) -> str:
    number = at_ns // _DAY_NS
    known = _days.get(number)
    if known is None:
        if len(_days) >= _MOST_REMEMBERED:
            _days.clear()
        known = _days[number] = datetime.fromtimestamp(number * 86_400, UTC).date().isoformat()
    return known


_steady: dict[tuple[str, tuple[str, ...]], tuple[str, str, dict[str, Any]]] = {}


def _rates(
    provider: str, models: tuple[str, ...], at_ns: int, tier: str
) -> tuple[str, str, dict[str, Any]] | None:
    """Return (name in the price list, price list, rate by class) for a call."""
    mine = _own
    if mine.prices.entries:
        for model in models:
            own = mine.find(provider, model, at_ns) if model else None
            if own is not None:
                return own.model, mine.prices.name, dict[str, Any](own.rates)
    steady = None if tier else _steady.get((provider, models))
    if steady is not None:
        return steady
    for model in dict.fromkeys(models):
        found = _lookup(provider, model) if model else None
        if found is None:
            continue
        moment = datetime.fromtimestamp(at_ns / 1e9, UTC)
        listed = found[1].get_prices(moment).__dict__
        shown = found[0]
        if tier:
            # Each provider has its own word for the same: a price says which it is for.
            served = found[1].get_prices(moment, dict.fromkeys(("processing", "service_tier", "speed"), tier))
            if served.__dict__ != listed:
                listed, shown = served.__dict__, f"{shown} ({tier})"
        measured = _measured(listed)
        if listed.get("input_mtok") is None and listed.get("output_mtok") is None and not measured:
            continue
        rates = {kind: listed[key] for kind, key in _KEYS.items() if listed.get(key) is not None}
        for kind, key in _COUNTED.items():
            if listed.get(key) is not None:
                rates[kind] = _by_piece(listed[key])
        rates.update(measured)
        answer = (shown, built_in_list(), rates)
        if not tier and not isinstance(found[1].prices, list):
            if len(_steady) >= _MOST_REMEMBERED:
                _steady.clear()
            _steady[provider, models] = answer
        return answer
    return None


def _measured(listed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rates of what is billed by characters or seconds, for a million of them."""
    rates: dict[str, Any] = {}
    if isinstance(characters := listed.get(_CHARACTERS), Decimal):
        rates["character"] = characters
    for key in _HOURS:
        if isinstance(hours := listed.get(key), Decimal):
            rates["audio_second"] = hours * _MILLION / _SECONDS
            break
    return rates


def _by_piece(rate: Any) -> Any:
    return rate / _THOUSAND if isinstance(rate, Decimal) else rate.base / _THOUSAND


_MODELS: Final = "/models/"
_known: dict[tuple[str, str], tuple[str, Any] | None] = {}


def _lookup(provider: str, model: str) -> tuple[str, Any] | None:
    """Return a model's name in the price table and its entry there."""
    key = (provider, model)
    if key in _known:
        return _known[key]
    found = _search(provider, model)
    if len(_known) >= _MOST_REMEMBERED:
        _known.clear()
    _known[key] = found
    return found


def _search(provider: str, model: str) -> tuple[str, Any] | None:
    if provider in _OWN_MACHINES:
        return None
    # Imported here because its table of prices takes some 0.7 s to load, a third of a server's start.
    from genai_prices.data_snapshot import find_provider_by_id, get_snapshot

    snapshot = get_snapshot()
    known = find_provider_by_id(snapshot.providers, _PROVIDERS.get(provider, provider)) if provider else None
    attempts: list[tuple[str, str | None]] = [(model, known.id if known else None)]
    if _MODELS in model:
        # As Vertex AI names it, with the project and the region before.
        attempts.append((model.rpartition(_MODELS)[2], known.id if known else None))
    maker, slash, bare = model.partition("/")
    if slash and bare and (known is None or known.id not in ("openrouter", "together", "fireworks")):
        by_name = find_provider_by_id(snapshot.providers, _PROVIDERS.get(maker.lower(), maker.lower()))
        attempts.append((bare, by_name.id if by_name else None))
    if not provider:
        attempts.append((model, "openai"))  # The list knows not all of its models by their name alone.
    elif provider == "openai":
        attempts.append((model, None))  # Others' models too are served by its protocol, behind a gateway.
    for reference, provider_id in attempts:
        try:
            owner, entry = snapshot.find_provider_model(reference, None, provider_id, None)
        except LookupError:
            continue
        return f"{owner.id}/{entry.id}", entry
    return None


_version = ""


def built_in_list() -> str:
    """Return the name of the list of built-in prices, and its version."""
    global _version
    if not _version:
        _version = f"genai-prices {importlib.metadata.version('genai-prices')}"
    return _version
