"""All attributes of a span as one JSON text, without storing twice what its input or output already holds.

A value that stands in a body is replaced by a reference: {"$ref": "input"} for the whole body, or, when that
is a conversation, {"$ref": "input/2/parts/0/content"} for a text in it: a JSON pointer (RFC 6901) behind the
name of the body. A body whose letters were received escaped is {"$ref": {"ascii": "input"}}. A value that
looks like a reference itself is kept as {"$ref": {"is": value}}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from agentops.model import Attributes
from agentops.server.normalise.escapes import escaped, plain
from agentops.server.normalise.values import decoded, encoded, is_list, is_object

REF: Final = "$ref"
SCOPE: Final = "agentops.received.scope."
"""What the names of a scope's attributes have before them among the attributes of its spans."""
_SHORTEST: Final = 64
"""Shorter values are not worth a reference."""
_LONG: Final = 1_000
"""Shorter ones are told again by whoever tells each text once: they are found at a glance."""
_BODIES: Final = ("input", "output")
_TEXTS: Final = ("content", "response")
"""Fields of a message part that may hold a long text."""

Conversation = Sequence[Mapping[str, Any]]


def stored(
    attributes: Attributes,
    entered: str | None,
    left: str | None,
    asked: Conversation | None = None,
    answered: Conversation | None = None,
) -> str:
    """Return the attributes as JSON; a value that a body holds becomes a reference to it.

    Args:
        attributes: As received.
        entered: The value that the input was, but for escaped letters, or None.
        left: The value that the output was, but for escaped letters, or None.
        asked: The messages of the input, when it is a conversation.
        answered: The messages of the output, when it is one.

    Raises:
        UnicodeEncodeError: A text holds a lone surrogate.
    """
    long: list[str] = []
    kept: dict[str, Any] | None = None
    for key, value in attributes.items():
        if type(value) is str:
            if len(value) < _SHORTEST:
                continue
            if value in (entered, left):
                if not value.isascii():
                    value.encode()
                if kept is None:
                    kept = dict(attributes)
                body = "input" if value == entered else "output"
                kept[key] = {REF: body if plain(value) is value else {"ascii": body}}
            else:
                long.append(key)
        elif type(value) is dict and REF in value:
            if kept is None:
                kept = dict(attributes)
            kept[key] = {REF: {"is": value}}
    if long and (asked or answered):
        places: dict[str, str] = {}
        _note_places(places, "output", answered)
        _note_places(places, "input", asked)
        for key in long if places else ():
            place = places.get(attributes[key])
            if place is not None:
                if kept is None:
                    kept = dict(attributes)
                kept[key] = {REF: place}
    return encoded(attributes if kept is None else kept)


def _note_places(places: dict[str, str], body: str, messages: Conversation | None) -> None:
    """Add where each long text of a conversation stands."""
    for number, message in enumerate(messages or ()):
        for index, part in enumerate(message["parts"]):
            for field in _TEXTS:
                text = part.get(field)
                if type(text) is str and len(text) >= _SHORTEST:
                    if not text.isascii():
                        text.encode()
                    places[text] = f"{body}/{number}/parts/{index}/{field}"


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
    bodies = {"input": entered, "output": left}
    parsed: dict[str, Any] = {}
    for key, value in found.items():
        if not is_object(value) or len(value) != 1 or REF not in value:
            continue
        place = value[REF]
        if is_object(place):
            body = place.get("ascii")
            found[key] = escaped(bodies[body]) if body in _BODIES else place.get("is")
        elif place in _BODIES:
            found[key] = bodies[place]
        elif type(place) is str:
            body, _, pointer = place.partition("/")
            if body in bodies:
                if body not in parsed:
                    parsed[body] = decoded(bodies[body])
                text = _at(parsed[body], pointer)
                found[key] = value if text is None else text
    return found


def told_once(attributes: str, entered: str, left: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the attributes as received but for long ones that a body holds, and where each of those stands.

    A place is the name of the body, or of the text in it ("input/2/parts/0/content"). The parameters are
    those of `restored`.
    """
    known = restored(attributes, entered, left)
    places: dict[str, str] = {}
    references = decoded(attributes)
    if f'"{REF}"' not in attributes or not is_object(references):
        return known, places
    for key, value in references.items():
        if not is_object(value) or len(value) != 1 or REF not in value:
            continue
        place = value[REF].get("ascii") if is_object(value[REF]) else value[REF]
        if type(place) is str and type(known[key]) is str and len(known[key]) > _LONG:
            places[key] = place
            del known[key]
    return known, places


def whole_text(attributes: str, entered: str, left: str) -> str:
    """Return the attributes as received, as JSON text; the parameters are those of `restored`."""
    if f'"{REF}"' not in attributes:
        return attributes
    return encoded(restored(attributes, entered, left))


def _at(value: Any, pointer: str) -> Any:
    for step in pointer.split("/"):
        if is_list(value) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif is_object(value):
            value = value.get(step)
        else:
            return None
    return value
