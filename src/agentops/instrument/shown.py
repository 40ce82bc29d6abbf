"""Values that a library hands over, as JSON text for an attribute."""

from __future__ import annotations

from typing import Any

import msgspec


def to_json(value: Any) -> str:
    """Return any value as JSON text: a model as its fields, what JSON cannot hold as its repr."""
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except Exception:  # Its fields raise, or it refers to itself.
        return msgspec.json.encode(repr(value)).decode()


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else repr(value)
