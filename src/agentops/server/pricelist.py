"""Prices of one's own: a file of them, read when the server starts and when costs are computed anew.

TOML or JSON, a list named `price`. An entry names a model, and dollars for a million tokens of each class:

    [[price]]
    model = "house-llama-*"     # the name in the telemetry, any letter case; * stands for any characters
    provider = "vllm"           # optional: only calls to this provider
    from = 2026-01-01           # optional: in force from this day (UTC) on
    input = 0.40
    output = 1.20
    cache_read = 0.04           # also: cache_write, cache_write_1h, reasoning, input_audio, output_audio,
                                # input_image, output_image
    request = 0.001             # dollars for each call; web_search: for each search

An entry wins over the built-in prices; the last entry that fits and is in force wins over earlier ones.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import translate
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from agentops.errors import SettingError

PER_MILLION: Final = (
    "input",
    "output",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "reasoning",
    "input_audio",
    "output_audio",
    "input_image",
    "output_image",
)
"""Classes of tokens, priced by the million."""
EACH: Final = ("request", "web_search")
"""What is priced by the piece."""
FILES: Final = ("prices.toml", "prices.json")
"""Names that are looked for in the home, in this order."""
_NAMES: Final = ("model", "provider", "from")


class OwnPrice(Struct, frozen=True):
    """One entry. `rates` are dollars: for a million tokens, or for each request or search."""

    model: str
    provider: str
    from_ns: int
    rates: dict[str, Decimal]
    pattern: re.Pattern[str]


class PriceList(Struct, frozen=True):
    """The entries of a file, the strongest first; the file's name, its text and when it was changed."""

    name: str = ""
    entries: tuple[OwnPrice, ...] = ()
    text: str = ""
    changed_ns: int = 0

    def find(self, provider: str, model: str, at_ns: int) -> OwnPrice | None:
        """Return the entry for a call at a time (unix nanoseconds), or None."""
        return in_force(self.fitting(provider, model), at_ns)

    def fitting(self, provider: str, model: str) -> tuple[OwnPrice, ...]:
        """Return the entries for a model of a provider, the strongest first."""
        model = model.lower()
        return tuple(
            entry
            for entry in self.entries
            if (not entry.provider or entry.provider == provider) and entry.pattern.match(model)
        )


def in_force(entries: tuple[OwnPrice, ...], at_ns: int) -> OwnPrice | None:
    """Return the strongest of entries that is in force at a time (unix nanoseconds), or None."""
    return next((entry for entry in entries if entry.from_ns <= at_ns), None)


def own_prices(home: Path | None, named: str | None) -> PriceList:
    """Return one's own prices; an empty list without a file.

    Args:
        home: the folder of everything local.
        named: the file that the setting `prices` names.

    Raises:
        SettingError: the file is not there or cannot be used.
    """
    path = price_file(home, named or "")
    return PriceList() if path is None else read_prices(path)


def price_file(home: Path | None, named: str) -> Path | None:
    """Return the file to read: the one that the setting names, else the home's, else None.

    Raises:
        SettingError: the setting names a file that is not there.
    """
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise SettingError(f"prices: there is no file {path}. Name a TOML or JSON file of prices.")
        return path
    for name in FILES if home is not None else ():
        path = home / name if home is not None else Path(name)
        if path.is_file():
            return path
    return None


def read_prices(path: Path) -> PriceList:
    """Read a file of prices.

    Raises:
        SettingError: it cannot be read; the message names the file, the entry and the field.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        # Not when it was written: a copy may keep that, and is new here all the same.
        changed_ns = path.stat().st_ctime_ns
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"prices: {path} cannot be read: {error}.") from None
    return replace(parsed_prices(str(path), text), name=path.name, changed_ns=changed_ns)


def parsed_prices(path: str, text: str) -> PriceList:
    """Return what a file of prices holds, as `read_prices`.

    Args:
        path: where it is: its ending says which form it has.
        text: what is in it.
    """
    form = "JSON" if path.lower().endswith(".json") else "TOML"
    try:
        if form == "JSON":
            content: Any = msgspec.json.decode(text.encode())
        else:
            content = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise SettingError(f"prices: {path} is not valid {form}: {error}.") from None
    listed: Any = content.get("price") if isinstance(content, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] -- of unknown shape
    if not isinstance(listed, list):
        raise SettingError(
            f"prices: {path} has no list of entries named price. Start each with [[price]]"
            ' (in JSON: {"price": [{...}]}).'
        )
    items: list[Any] = listed  # pyright: ignore[reportUnknownVariableType] -- of unknown shape
    entries = [_entry(item, f"prices: entry {number} of {path}") for number, item in enumerate(items, 1)]
    # Later entries are stronger; among them, those that began later.
    entries.reverse()
    entries.sort(key=lambda entry: -entry.from_ns)
    return PriceList(path, tuple(entries), text)


def _entry(item: Any, where: str) -> OwnPrice:
    if not isinstance(item, Mapping):
        raise SettingError(f"{where} is no table of names and values.")
    given: Mapping[str, Any] = item  # pyright: ignore[reportUnknownVariableType] -- of unknown shape
    unknown = [name for name in given if name not in (*_NAMES, *PER_MILLION, *EACH)]
    if unknown:
        raise SettingError(
            f"{where} has a field {unknown[0]!r}. Known fields: {', '.join((*_NAMES, *PER_MILLION, *EACH))}."
        )
    model = given.get("model")
    if not isinstance(model, str) or not model.strip():
        raise SettingError(f"{where} needs a model: the name as the telemetry has it.")
    provider = given.get("provider", "")
    if not isinstance(provider, str):
        raise SettingError(f"{where}: provider must be a text.")
    rates = {name: _rate(given[name], name, where) for name in (*PER_MILLION, *EACH) if name in given}
    if not rates:
        raise SettingError(f"{where} has no price. Give input and output, in dollars for a million tokens.")
    model = model.strip().lower()
    # Only the star is special: names of models hold brackets and question marks of their own.
    pattern = re.compile(translate("*".join(map(_literal, model.split("*")))))
    return OwnPrice(model, provider.strip().lower(), _day_ns(given.get("from"), where), rates, pattern)


def _literal(text: str) -> str:
    return re.sub(r"([\[?])", r"[\1]", text)


def _rate(value: Any, name: str, where: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise SettingError(f"{where}: {name} must be a number of dollars.")
    rate = Decimal(str(value))
    if not rate.is_finite() or rate < 0 or rate > 10**9:
        raise SettingError(f"{where}: {name} must be a number of dollars from 0 up.")
    return rate


def _day_ns(value: Any, where: str) -> int:
    if value is None:
        return 0
    try:
        if isinstance(value, datetime):
            at = value if value.tzinfo else value.replace(tzinfo=UTC)
        elif isinstance(value, date):
            at = datetime(value.year, value.month, value.day, tzinfo=UTC)
        else:
            at = datetime.fromisoformat(value)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(0, int(at.timestamp()) * 10**9)
    except (TypeError, ValueError, OverflowError):
        raise SettingError(f"{where}: from must be a day such as 2026-01-31.") from None
