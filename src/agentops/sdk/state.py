"""How a session can end: the three states, and the many ways people write them."""

from __future__ import annotations

from typing import Any, Final

from agentops import semconv

SUCCESS: Final = "Success"
FAIL: Final = "Fail"
INDETERMINATE: Final = "Indeterminate"

_WORDS: Final = {state.lower(): state for state in semconv.END_STATES} | {"failure": FAIL, "failed": FAIL}
_TRACE_WORDS: Final = _WORDS | {"error": FAIL, "ok": SUCCESS, "unset": INDETERMINATE}


def end_state(value: Any, *, trace: bool = False) -> str:
    """Return the end state that `value` means; with `trace`, also as the 0.4 trace functions say it.

    Raises:
        ValueError: it means none.
    """
    try:
        words = _TRACE_WORDS if trace else _WORDS
        found = next((words[word] for word in _said(value) if word in words), None)
        shown = repr(value)[:200]
    except Exception:  # An object that cannot even be looked at.
        found, shown = None, f"<{type(value).__name__}>"
    if found is None:
        raise ValueError(
            f"end_state={shown} is not an end state; use one of {', '.join(map(repr, semconv.END_STATES))}"
        )
    return found


def outcome(error: BaseException | None) -> tuple[str, str | None]:
    """Return the end state and reason of a session whose block or function was left with `error`."""
    if error is None or isinstance(error, GeneratorExit):
        return SUCCESS, None
    if isinstance(error, KeyboardInterrupt):
        return FAIL, "Signal SIGINT detected"
    if isinstance(error, SystemExit):
        return INDETERMINATE, f"SystemExit: {error.code}"
    return FAIL, reason(error)


def reason(error: BaseException) -> str:
    """Return an exception as one line of text."""
    try:
        message = str(error)
    except Exception:
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _said(value: Any) -> list[str]:
    """Return what an end state may say: a text, or a member of an enumeration by its value and its name."""
    if isinstance(value, str):
        return [value.strip().lower()]
    texts = getattr(value, "value", None), getattr(value, "name", None), value
    return [str(text).strip().lower() for text in texts]
