"""Cursors: where a page ended, as text that means nothing to the client.

A page continues after the last row's sort value and id (keyset), so page 1,000 costs what page 1 costs.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

import msgspec

_LATEST: Final = 2**63 - 1
"""Whole numbers in cursors are unix nanoseconds."""


class BadCursor(ValueError):
    """The cursor was not made by this server for this list."""


def written(*values: Any) -> str:
    """Return a cursor for these values."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def read(cursor: str, *types: type) -> list[Any]:
    """Return a cursor's values.

    Raises:
        BadCursor: it does not hold values of these types.
    """
    try:
        values = msgspec.json.decode(
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=list[Any]
        )
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise BadCursor(cursor) from None
    if len(values) != len(types) or any(
        type(value) is not kind or (type(value) is int and not 0 <= value <= _LATEST)
        for value, kind in zip(values, types, strict=True)
    ):
        raise BadCursor(cursor)
    return values
