"""Redaction: every recorded text is masked before it is written anywhere.

`redact=` is a list of regular expressions, or a callable from text to text. Texts inside JSON are masked
one by one, so that a pattern sees them as the program had them, without JSON's escapes; regular expressions
then also see the JSON text as a whole, so that a pattern over a key and its value works. A mask that fails
masks everything.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast
from uuid import UUID

import msgspec

from agentops import semconv
from agentops.errors import SettingError
from agentops.otlp import encode

MASK: Final = "[redacted]"
FAILED: Final = "[redaction failed]"

TextMap = Callable[[str], str]
Redact = Iterable[str | re.Pattern[str]] | TextMap


def redactor(redact: Redact | None) -> TextMap | None:
    """Return the function that masks one recorded text, or None when nothing is to be masked.

    Raises:
        SettingError: `redact` is neither a callable nor regular expressions.
    """
    if redact is None:
        return None
    if callable(redact):
        return _guarded(_unnested(redact), whole=False)
    if isinstance(redact, str | re.Pattern):
        redact = [redact]
    try:
        patterns = [re.compile(pattern) for pattern in redact]
    except (re.error, TypeError) as error:
        raise SettingError(
            f"redact={redact!r} cannot be used: {error}. Give a list of regular expressions, or a callable "
            "from text to text."
        ) from None
    if not patterns:
        return None

    def mask(text: str) -> str:
        for pattern in patterns:
            text = pattern.sub(MASK, text)
        return text

    return _guarded(mask, whole=True)


def _unnested(mask: Callable[[str], Any]) -> TextMap:
    """Return the program's mask; what is recorded while it runs (what it logs, say) is masked as a whole."""
    here = threading.local()

    def masked(text: str) -> str:
        if getattr(here, "masking", False):
            return MASK
        here.masking = True
        try:
            found = mask(text)
        finally:
            here.masking = False
        if not isinstance(found, str):
            raise TypeError("a mask gives a text")
        return found

    return masked


def _guarded(mask: TextMap, *, whole: bool) -> TextMap:
    def leaf(value: Any) -> Any:
        if isinstance(value, str):
            return mask(value)
        if isinstance(value, dict):
            return {mask(key): leaf(item) for key, item in cast("dict[str, Any]", value).items()}
        if isinstance(value, list):
            return [leaf(item) for item in cast("list[Any]", value)]
        if isinstance(value, int | float) and not isinstance(value, bool):
            shown = str(value)
            masked = mask(shown)
            return value if masked == shown else masked
        return value

    def redacted(text: str) -> str:
        try:
            if text[:1] in ("{", "[", '"'):
                try:
                    value = msgspec.json.decode(text)
                except (msgspec.DecodeError, RecursionError):
                    pass
                else:
                    masked = leaf(value)
                    if masked != value:
                        text = msgspec.json.encode(masked).decode()
                    return mask(text) if whole else text
            return mask(text)
        except Exception:
            return FAILED

    return redacted


_STRUCTURE: Final = frozenset({
    semconv.SESSION_ID, semconv.SPAN_KIND, semconv.RECORD_SEQ, semconv.RECORDS_SENT, semconv.RECORDS_LOST,
    semconv.HEARTBEAT_NS, semconv.END_STATE, semconv.INHERITED,
})  # fmt: skip
"""The recorder's own, with nothing of the program in them: a mask over one would lose the event."""
_IDS: Final = frozenset({semconv.EVENT_ID, semconv.TRIGGER_EVENT_ID})
"""The recorder's own, unless the program chose them itself."""
_CONVENTIONS: Final = (
    "agentops.", "gen_ai.", "llm.", "openinference.", "traceloop.", "input.", "output.", "session.", "user.",
    "error.", "exception.", "tool.", "embedding.", "retrieval.", "reranker.", "code.", "http.", "url.",
    "server.", "service.", "telemetry.", "process.", "thread.", "logger.",
)  # fmt: skip
"""How names of attributes begin that conventions chose, and no program: what reads them must know them."""


def redacted(attributes: Mapping[str, Any], redact: TextMap) -> dict[str, Any]:
    """Return attributes with every text masked, except those that say only what and where the event is."""
    return {_key(key, redact): _value(key, value, redact) for key, value in attributes.items()}


@functools.lru_cache(maxsize=4096)
def _key(key: str, redact: TextMap) -> str:
    return key if key.startswith(_CONVENTIONS) else redact(key)


def _value(key: str, value: Any, redact: TextMap) -> Any:
    if key in _STRUCTURE or (key in _IDS and _is_uuid(value)):
        return value
    return encode.mapped(value, redact)


def _is_uuid(value: Any) -> bool:
    try:
        return str(UUID(value)) == value
    except (ValueError, AttributeError, TypeError):
        return False
