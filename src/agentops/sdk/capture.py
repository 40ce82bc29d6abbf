"""Capture: any Python value as JSON text, within a size, never raising.

What JSON can hold is kept as it is. Pydantic models become their fields; everything else becomes its repr.
What is too long is cut, and the cut says how long the whole was. Time is bounded too: nothing beyond the
size limit is walked.
"""

from __future__ import annotations

import dataclasses
import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Final, cast

import msgspec

encode: Final = msgspec.json.Encoder().encode
_type: Final = cast("Callable[[Any], Any]", type)
"""`type`, of which nothing is known: what is captured is the program's."""
_MAX_DEPTH: Final = 24
_NODE_COST: Final = 8
"""Characters that a value costs beside its own text (brackets, a comma); they bound the walk itself."""
_FLAT_TEXT: Final = 4096
_INT64: Final = 2**63
_UNORDERED: Final = (set, frozenset, deque)
_PLAIN: Final = frozenset({bool, type(None)})
_MARGIN: Final = 4096
"""Characters behind a cut that a mask still sees: the longest secret that a cut may not halve."""


class Cutting:
    """What is done, and counted, when a value is too long."""

    __slots__ = ("mask", "values")

    def __init__(self, mask: Callable[[str], str] | None = None) -> None:
        self.mask = mask
        """Applied before a text is cut: half a secret is one that no pattern finds any more."""
        self.values = 0
        """How many values were cut so far."""

    def cut(self, text: str, limit: int) -> str:
        """Return `text`, or its first `limit` characters and a marker that says how long it was."""
        if len(text) <= limit:
            return text
        self.values += 1
        return f"{self.head(text, limit)}… [cut: {len(text)} characters]"

    def head(self, text: str, room: int) -> str:
        """Return about the first `room` characters of a text, masked."""
        if self.mask is None:
            return text[:room]
        masked = self.mask(text[: room + _MARGIN])
        # What the mask made shorter moved the end of what it saw, where half a secret may be, to the left.
        return (
            masked[: max(min(room, len(masked) - _MARGIN), 0)]
            if len(text) > room + _MARGIN
            else masked[:room]
        )


def to_json(value: Any, limit: int, cutting: Cutting | None = None) -> str:
    """Return `value` as JSON text of about `limit` bytes at most; `cutting` masks and counts what is cut."""
    try:
        if is_flat(value):
            return encode(value).decode()
    except (OverflowError, UnicodeEncodeError, RuntimeError, ValueError):
        pass  # A number beyond 64 bits, a lone surrogate, a dict that another thread grows: walk it.
    try:
        walk = _Walk(limit, cutting or Cutting())
        text = encode(walk.walk(value, 0)).decode()
        walk.cutting.values += walk.short
    except (Exception, SystemExit) as error:  # A repr that would end the program is not the program.
        text = encode(f"<{type(value).__name__}: cannot be recorded ({type(error).__name__})>").decode()
    return text


def text_of(value: Any, limit: int, cutting: Cutting | None = None) -> str:
    """Return `value` itself when it is text, else its JSON text; cut to `limit`, the cut marked."""
    if issubclass(type(value), str):  # A proxy may fail when it is asked for its class.
        return (cutting or Cutting()).cut(value, limit)
    return to_json(value, limit, cutting)


def cut(text: str, limit: int) -> str:
    """Return `text`, or its first `limit` characters and a marker that says how long it was."""
    return text if len(text) <= limit else f"{text[:limit]}… [cut: {len(text)} characters]"


def bounded_json(value: Any, limit: int, cutting: Cutting) -> Any:
    """Return what JSON can hold of a value, within about `limit` bytes."""
    walk = _Walk(limit, cutting)
    found = walk.walk(value, 0)
    cutting.values += walk.short
    return found


def is_flat(value: Any) -> bool:
    """Say whether a value is small and plain enough to be encoded as it is."""
    kind = _type(value)
    if kind is str:
        return len(value) <= _FLAT_TEXT
    if kind is dict:
        if len(value) > 16:
            return False
        for key, item in value.items():
            if type(key) is not str:
                return False
            kind = _type(item)
            if kind is str:
                if len(item) > _FLAT_TEXT:
                    return False
            elif kind is int:
                if not -_INT64 <= item < _INT64:
                    return False
            elif kind is float:
                if not math.isfinite(item):
                    return False
            elif kind not in _PLAIN:
                return False
        return True
    return kind in _PLAIN or (kind is int and -_INT64 <= value < _INT64)


class _Walk:
    """One bounded walk through a value; gives builtin values that JSON can hold."""

    __slots__ = ("cutting", "left", "open", "short")

    def __init__(self, limit: int, cutting: Cutting) -> None:
        self.left = limit
        self.cutting = cutting
        self.short = False
        """Something of the value was cut."""
        self.open: set[int] = set()
        """Ids of the containers around the current value: one that contains itself ends there."""

    def walk(self, value: Any, depth: int) -> Any:
        self.left -= _NODE_COST
        kind = _type(value)
        if kind is str:
            return self.text(value)
        if kind is bool or value is None:
            return value
        if kind is int:
            return value if -_INT64 <= value < _INT64 else self.text(str(value))
        if kind is float:
            return value if math.isfinite(value) else repr(value)
        try:
            return self.other(value, depth)
        except (Exception, SystemExit) as error:
            return self.refused(value, error)

    def other(self, value: Any, depth: int) -> Any:
        """Return what JSON can hold of a value of no plain type; raises what looking at it raises."""
        if isinstance(value, str):
            return self.text(str.__str__(value))
        if isinstance(value, int):
            return self.walk(int(value), depth)
        if isinstance(value, float):
            return self.walk(float(value), depth)
        return self.within(value, depth, self.container)

    def refused(self, value: Any, error: BaseException) -> str:
        """Return the repr of a value that cannot be looked into: what is beside it stays."""
        try:
            return self.text(self.clipped(_told(value, repr), max(self.left, 64)))
        except (Exception, SystemExit):
            return f"<{_type(value).__name__}: cannot be recorded ({type(error).__name__})>"

    def within(self, value: Any, depth: int, look: Callable[[Any, int], Any]) -> Any:
        """Return what `look` says of a value, unless it is inside itself or too deep."""
        name = _type(value).__name__
        if depth >= _MAX_DEPTH:
            return f"… [cut: {name} deeper than {_MAX_DEPTH} levels]"
        if id(value) in self.open:
            return f"… [{name} that contains itself]"
        self.open.add(id(value))
        try:
            return look(value, depth)
        finally:
            self.open.discard(id(value))

    def container(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            return self.mapping(cast("Mapping[Any, Any]", value), depth)
        if isinstance(value, list | tuple):
            return self.sequence(cast("list[Any]", value), depth)
        dump = getattr(cast("type[Any]", type(value)), "model_dump", None)
        if dump is not None:
            try:
                return self.walk(_told(value, lambda model: dump(model, warnings=False)), depth + 1)
            except Exception:
                pass  # Not a pydantic model after all, or one that cannot be dumped: its repr is next.
        return self.text(self.shown(value, depth))

    def mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        total = len(value)
        try:
            for key, item in value.items():
                if self.left <= 0:
                    break
                name = self.text(key if isinstance(key, str) else self.shown(key, depth))
                out[name] = self.walk(item, depth + 1)
        except RuntimeError:
            pass  # Another thread changed it meanwhile; what was seen stands, the rest counts as cut.
        if len(out) < total:
            self.short = True
            out["…"] = f"[cut: {total - len(out)} of {total} entries]"
        return out

    def sequence(self, value: list[Any], depth: int) -> list[Any]:
        out: list[Any] = []
        total = len(value)
        for item in value:
            if self.left <= 0:
                self.short = True
                out.append(f"… [cut: {total - len(out)} of {total} items]")
                break
            out.append(self.walk(item, depth + 1))
        return out

    def text(self, text: str) -> str:
        size = len(text)
        if size <= self.left and not text.isascii():
            size = len(text.encode("utf-8", "replace"))
        room = max(self.left, 0)
        self.left -= size
        if size > room:
            self.short = True
            text = f"{self.cutting.head(text, room * len(text) // size)}… [cut: {len(text)} characters]"
        # JSON is UTF-8, which has no lone surrogates.
        return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")

    def shown(self, value: Any, depth: int) -> str:
        """Return a value's repr; of builtin containers and dataclasses only what there is room for."""
        kind = _type(value)
        room = max(self.left, 64)
        if isinstance(value, bytes | bytearray):
            head = repr(value[:room])
            if len(value) <= room:
                return head
            self.short = True
            return f"{head}… [cut: {len(value)} bytes]"
        if kind in _UNORDERED:
            items = cast("Iterable[Any]", value)
            parts = self.parts((("", item) for item in items), len(cast("set[Any]", value)), depth)
            if kind is set and parts:
                return f"{{{parts}}}"
            return f"{kind.__name__}([{parts}])" if parts else f"{kind.__name__}()"
        if isinstance(value, tuple | list | dict):
            return (
                self.clipped(repr(cast("object", value)), room)
                if len(cast("list[Any]", value)) < 1000
                else f"<{kind.__name__}>"
            )
        parameters = getattr(kind, "__dataclass_params__", None)
        if parameters is not None and parameters.repr and "__repr__" in kind.__dict__:
            fields = [field for field in dataclasses.fields(value) if field.repr]
            named = ((f"{field.name}=", getattr(value, field.name, None)) for field in fields)
            return f"{kind.__qualname__}({self.parts(named, len(fields), depth)})"
        try:
            return self.clipped(_told(value, repr), room)
        except (Exception, SystemExit) as error:
            return f"<{kind.__name__} object; its repr raised {type(error).__name__}>"

    def clipped(self, text: str, room: int) -> str:
        if len(text) <= room:
            return text
        self.short = True
        return f"{self.cutting.head(text, room)}… [cut: {len(text)} characters]"

    def parts(self, items: Iterable[tuple[str, Any]], total: int, depth: int) -> str:
        out: list[str] = []
        for label, item in islice(items, max(self.left // _NODE_COST, 1)):
            if isinstance(item, list | tuple | dict):
                shown = _text(self.walk(cast("object", item), depth + 1))
            else:
                plain = type(item) is str and len(item) < 256
                shown = repr(item) if plain else self.within(item, depth + 1, self.shown)
            self.left -= _NODE_COST
            out.append(label + self.text(shown))
            if self.left <= 0:
                break
        if len(out) < total:
            self.short = True
            out.append(f"… [cut: {total - len(out)} of {total}]")
        return ", ".join(out)


class _Telling(threading.local):
    def __init__(self) -> None:
        self.ids: set[int] = set()


_telling: Final = _Telling()
"""Objects of this thread that are just saying what they are."""


def _told(value: Any, ask: Callable[[Any], Any]) -> Any:
    """Return what a value says of itself; a recorded call that it makes meanwhile does not ask it again."""
    key, telling = id(value), _telling.ids
    if key in telling:
        return f"<{_type(value).__name__} inside its own repr>"
    telling.add(key)
    try:
        return ask(value)
    finally:
        telling.discard(key)


def _text(value: Any) -> str:
    return encode(value).decode()
