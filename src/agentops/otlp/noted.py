"""Values that JSON has no form for: bytes are kept as their base64, numbers that are none by their names.

Attributes that hold such values note in one more attribute, NOTED, which they are: a JSON pointer (RFC 6901)
to each, and what it came as: an export tells them so again.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

NOTED: Final = "agentops.received.types"
"""The attribute with the notes of those beside it."""
BYTES: Final = "bytes"
DOUBLE: Final = "double"


class Note(Struct):
    """What a value came as, and the steps to it, the last first."""

    came_as: str
    steps: list[str]


def step(notes: list[Note], before: int, name: str) -> None:
    """Note that the values noted after the first `before` are inside of `name`."""
    for note in notes[before:]:
        note.steps.append(name)


def forget(notes: list[Note], name: str) -> None:
    """Drop the notes of what is inside of `name`, which comes once more."""
    notes[:] = [one for one in notes if one.steps[-1] != name]


def note(attributes: dict[str, Any], notes: list[Note]) -> None:
    """Add the notes of attributes to them."""
    attributes[NOTED] = {_pointer(one.steps): one.came_as for one in notes}


def _pointer(steps: list[str]) -> str:
    return "".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in reversed(steps))
