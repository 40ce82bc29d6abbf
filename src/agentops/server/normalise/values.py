"""Attribute values as the types that an Event has. Every reader returns None for what it cannot use."""

from __future__ import annotations

from typing import Any, Final, TypeGuard

import msgspec

_ENCODER: Final = msgspec.json.Encoder(enc_hook=repr)
_DECODER: Final = msgspec.json.Decoder()
_LARGEST_COUNT: Final = 2**53
_MOST_DOLLARS: Final = 1e12
"""No call costs more; sums of larger ones would be no numbers any more."""


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Tell whether a plain value is an object."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Tell whether a plain value is a list."""
    return isinstance(value, list)


def encoded(value: Any) -> str:
    """Return `value` as compact JSON text.

    Raises:
        UnicodeEncodeError: A text in it holds a lone surrogate, which no store can hold.
    """
    return _ENCODER.encode(value).decode()


def decoded(text: str) -> Any:
    """Return what JSON text means, or None when it is not JSON (or is `null`)."""
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def text(value: Any) -> str | None:
    """Return a non-empty text; other values as JSON."""
    if type(value) is str:
        return value or None
    return None if value is None else encoded(value)


def lowered(value: Any) -> str | None:
    """Return a non-empty text in lower case, without blanks around it."""
    return (value.strip().lower() or None) if type(value) is str else None


def count(value: Any) -> int | None:
    """Return a whole number from 0 up; also from a float or from digits."""
    if type(value) is not int:
        if type(value) is str:
            try:
                value = float(value)
            except ValueError:
                return None
        if type(value) is not float or not value.is_integer():
            return None
        value = int(value)
    return value if 0 <= value <= _LARGEST_COUNT else None


def dollars(value: Any) -> float | None:
    """Return an amount from 0 up, of no absurd size; also from text."""
    if type(value) is not float:
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            return None
        try:
            value = float(value)
        except (ValueError, OverflowError):
            return None
    return value if 0 <= value <= _MOST_DOLLARS else None


def nanoseconds(value: Any) -> int | None:
    """Return a duration given in seconds as nanoseconds."""
    seconds = dollars(value)
    return int(seconds * 1e9) if seconds is not None and seconds < 10**9 else None


def flag(value: Any) -> bool | None:
    """Return a truth value; also from the texts that exporters make of one."""
    if type(value) is bool:
        return value
    return {"true": True, "false": False}.get(value.lower()) if type(value) is str else None


def texts(value: Any) -> list[str] | None:
    """Return a list of text: an array, the JSON of one, or a single text."""
    if isinstance(value, str):
        parsed = decoded(value) if value.startswith("[") else None
        items: list[Any] = parsed if is_list(parsed) else [value]
    elif is_list(value):
        items = value
    else:
        return None
    return [
        item if isinstance(item, str) else encoded(item) for item in items if item not in (None, "")
    ] or None
