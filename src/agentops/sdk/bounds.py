"""Bounds: what one recorded value, and one span, may hold when others put it there.

Our own capture stays within its limit as it goes. Instrumentors, and the program through OpenTelemetry's API,
set attributes of any size: prompts with images in them, whole documents, vectors. Here they are cut when the
span is written. What is cut says how long it was, and a text that is JSON stays JSON: its longest texts are
cut first, so that one image in a conversation does not cost the answer that follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from agentops import semconv
from agentops.sdk.capture import Cutting, bounded_json, to_json

SPAN_VALUES: Final = 4
"""A span holds as much as this many values of the greatest length."""
MAX_ATTRIBUTES: Final = 4096
"""Attributes of one span; the server takes twice as many."""
DROPPED: Final = "agentops.limits.dropped"
"""Attribute that counts those left out."""
_OWN: Final = frozenset({semconv.SESSION_ID, semconv.RECORD_SEQ, semconv.SPAN_KIND})
"""Attributes without which a record is not known for what it is."""
_PLAIN: Final = (str, int, float, bool, type(None))
_NUMBER_BYTES: Final = 24
_MARKER_BYTES: Final = 48


def bounded(attributes: Mapping[str, Any], limit: int, cutting: Cutting) -> Mapping[str, Any]:
    """Return attributes within `limit` bytes each and SPAN_VALUES times that together.

    They come back as they are, the same object, when they fit.
    """
    sizes = [
        len(value) if type(value) is str else _NUMBER_BYTES if type(value) is int else _size(value)
        for value in attributes.values()
    ]
    # Characters take up to three bytes; only what might be too long is measured.
    if len(sizes) <= MAX_ATTRIBUTES and 3 * sum(sizes) <= limit:
        return attributes
    return _cut_down(attributes, limit, cutting)


def _cut_down(attributes: Mapping[str, Any], limit: int, cutting: Cutting) -> Mapping[str, Any]:
    items = list(attributes.items())
    dropped = len(items) - MAX_ATTRIBUTES
    if dropped > 0:
        cutting.values += dropped
        items.sort(key=lambda item: item[0] not in _OWN)  # Ours first, the others in their order.
        items = [*items[: MAX_ATTRIBUTES - 1], (DROPPED, dropped + 1)]
    sizes = [_size(value) for _, value in items]
    room = min(limit, level(sizes, limit * SPAN_VALUES))
    if dropped <= 0 and max(sizes, default=0) <= room:
        return attributes
    return {
        key: value if size <= room else _cut(value, room, cutting)
        for (key, value), size in zip(items, sizes, strict=True)
    }


def legible(attributes: Mapping[str, Any] | None, limit: int, cutting: Cutting) -> dict[str, Any]:
    """Return attributes of which none is an object of the program's, that may refuse to be looked at."""
    return {
        key: value if type(value) in _PLAIN else to_json(value, limit, cutting)
        for key, value in (attributes or {}).items()
    }


def level(sizes: Sequence[int], room: int) -> int:
    """Return the greatest size at which all, cut to it, fit into `room` together."""
    left = room
    ordered = sorted(sizes)
    for position, size in enumerate(ordered):
        share = left // (len(ordered) - position)
        if size > share:
            return share
        left -= size
    return ordered[-1] if ordered else room


def _size(value: Any) -> int:
    """Return about how many bytes a value takes in its record."""
    kind = cast("Callable[[Any], Any]", type)(value)
    if kind is str:
        return len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
    if kind is int or kind is float or kind is bool or value is None:
        return _NUMBER_BYTES
    if isinstance(value, list | tuple):
        items = cast("list[Any]", value)
        # A vector is measured by its first number.
        if items and type(items[0]) in (int, float):
            return _NUMBER_BYTES * len(items)
        return sum(map(_size, items))
    if isinstance(value, bytes | bytearray):
        return len(value) * 4 // 3
    return len(str(value))


def _cut(value: Any, room: int, cutting: Cutting) -> Any:
    if isinstance(value, str):
        return _cut_text(str.__str__(value), room, cutting)
    return bounded_json(value, room, cutting)


def _cut_text(text: str, room: int, cutting: Cutting) -> str:
    if text[:1] in ("{", "["):
        try:
            value: Any = msgspec.json.decode(text)
            return msgspec.json.encode(_fitted(value, _size(text), room, cutting)).decode()
        except (msgspec.DecodeError, RecursionError):
            pass  # No JSON after all, or nested beyond reason: text like any other.
    # By characters, as many as fit in bytes when all are as wide as their average.
    return cutting.cut(text, room * len(text) // max(_size(text), 1))


def _fitted(value: Any, whole: int, room: int, cutting: Cutting) -> Any:
    """Return JSON's values with their longest texts cut; all of it, bit by bit, where texts are the least."""
    lengths: list[int] = []
    _measure(value, lengths)
    around = whole - sum(lengths)
    longest = level(lengths, room - around)
    if around > room // 2 or longest < _MARKER_BYTES:
        return bounded_json(value, room, cutting)
    cutting.values += 1
    return _shortened(value, longest - _MARKER_BYTES // 2, Cutting(cutting.mask))


def _measure(value: Any, lengths: list[int]) -> None:
    if isinstance(value, str):
        lengths.append(_size(value))
    elif isinstance(value, dict):
        for item in cast("dict[str, Any]", value).values():
            _measure(item, lengths)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            _measure(item, lengths)


def _shortened(value: Any, longest: int, cutting: Cutting) -> Any:
    if isinstance(value, str):
        size = _size(value)
        return value if size <= longest else cutting.cut(value, longest * len(value) // size)
    if isinstance(value, dict):
        return {
            key: _shortened(item, longest, cutting) for key, item in cast("dict[str, Any]", value).items()
        }
    if isinstance(value, list):
        return [_shortened(item, longest, cutting) for item in cast("list[Any]", value)]
    return value
