"""All attributes of a span as one JSON text, without storing twice what its input or output already holds."""

from __future__ import annotations

from typing import Any, Final

from agentops.model import Attributes
from agentops.server.normalise.values import decoded, encoded, is_object

REF: Final = "$ref"
_SHORTEST: Final = 64
"""Shorter values are not worth a reference."""


def stored(attributes: Attributes, entered: str | None, left: str | None) -> str:
    """Return the attributes as JSON; a value equal to `entered` or `left` becomes a reference to that body.

    Raises:
        UnicodeEncodeError: A text holds a lone surrogate.
    """
    if entered is not None and len(entered) < _SHORTEST:
        entered = None
    if left is not None and len(left) < _SHORTEST:
        left = None
    if entered is None and left is None:
        return encoded(attributes)
    for body in (entered, left):
        if body is not None and not body.isascii():
            body.encode()
    kept = dict(attributes)
    for key, value in attributes.items():
        if type(value) is str:
            if value == entered:
                kept[key] = {REF: "input"}
            elif value == left:
                kept[key] = {REF: "output"}
    return encoded(kept)


def restored(attributes: str, entered: str, left: str) -> dict[str, Any]:
    """Return the attributes as received.

    Args:
        attributes: Event.attributes.
        entered: Event.input.
        left: Event.output.
    """
    found = decoded(attributes)
    if not is_object(found):
        return {}
    for key, value in found.items():
        if is_object(value) and len(value) == 1:
            if value.get(REF) == "input":
                found[key] = entered
            elif value.get(REF) == "output":
                found[key] = left
    return found
