"""One call, one event: the span that a second instrumentor makes of an LLM call is absorbed by the first.

A framework's instrumentor and the provider's see the same call, one inside the other. The outer one is the
event: it knows where in the agent's work the call stands. The inner one is not written. What only it knows
(cached tokens, the provider's request, the time to the first chunk) is added to the outer at its end.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from agentops import semconv
from agentops.instrument import calls
from agentops.sdk.recorder import kind_of
from agentops.sdk.spans import RecordedSpan

# Pyright: both kinds of span are ours, and a span keeps its parts in private fields, as OpenTelemetry's does.
# pyright: reportPrivateUsage=false

_CALLS: Final = ("llm", "embedding")
_INPUT: Final = (
    "input.",
    "llm.input_messages.",
    "llm.prompts.",
    "llm.tools.",
    "gen_ai.input.",
    "gen_ai.prompt",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "llm.request.functions.",
    "embedding.embeddings.",
    semconv.INPUT,
)
_OUTPUT: Final = (
    "output.",
    "llm.output_messages.",
    "llm.choices.",
    "gen_ai.output.",
    "gen_ai.completion",
    semconv.OUTPUT,
)
_TOKENS: Final = ("llm.token_count.", "gen_ai.usage.", "llm.usage.")
_RESPONSE_ID: Final = "gen_ai.response.id"
_ANSWERED: Final = ("llm.response.model_name", "gen_ai.response.model")
_FAMILIES: Final = (_INPUT, _OUTPUT, _TOKENS)
_OWN: Final = frozenset(
    {
        semconv.SESSION_ID,
        semconv.SPAN_KIND,
        semconv.RECORD_SEQ,
        semconv.AGENT_NAME,
        semconv.AGENT_ID,
        "openinference.span.kind",
        "gen_ai.operation.name",
        "traceloop.span.kind",
        "llm.request.type",
        "metadata",
        "session.id",
        "user.id",
    }
)
"""What stays the outer span's own affair."""


def outer_call(above: RecordedSpan | None, kind: str, attributes: Mapping[str, Any]) -> RecordedSpan | None:
    """Return the open span that records the call already of which `attributes` begin a span, or None.

    Args:
        above: the recorded span above it.
        kind: the new span's.
        attributes: what it begins with.
    """
    if kind not in _CALLS:
        return None
    for span in (above, calls.noted()):
        if span is None:
            continue
        outer: Any = getattr(span, "itself", None)
        if (
            isinstance(outer, RecordedSpan)
            and outer._attributes is not attributes
            and outer._end_time is None
            and outer is not outer.core.root
            and kind_of(outer._attributes) == kind
            # Not what session.patch records around any callable: that one makes way itself.
            and outer.scope is not outer.core.recorder.scope
        ):
            return outer
    return None


class Absorbed(RecordedSpan):
    """A span that is not written: its outer span stands for it, also as the parent of what is below."""

    def __init__(self, outer: RecordedSpan, name: str, attributes: dict[str, Any], scope: Any) -> None:
        super().__init__(outer.core, name, attributes, parent=outer._parent, above=outer, scope=scope)
        self._context = outer._context
        self._outer = outer

    @property
    def itself(self) -> RecordedSpan:
        """The outer span."""
        return self._outer

    def end(self, end_time: int | None = None) -> None:
        """Leave to the outer span what was seen."""
        if self._end_time is not None:
            return
        self._end_time = end_time or time.time_ns()
        self._outer.absorbed = [*(self._outer.absorbed or ()), self]


def absorb_late(span: RecordedSpan) -> None:
    """Absorb a span that turned out, after its start, to record a call that another one records already."""
    if type(span) is not RecordedSpan or span.announced or span.seq:
        return  # Its start is on disk.
    outer = outer_call(span.above, kind_of(span._attributes), span._attributes)
    if outer is None or outer is span or outer.core is not span.core:
        return
    span.core.open.pop(span._context.span_id, None)
    span.__class__ = Absorbed
    absorbed: Any = span
    absorbed._outer = outer
    span._context = outer._context


def add(outer: RecordedSpan) -> None:
    """Add to a span, at its end, what only the absorbed ones know."""
    known = outer._attributes
    says_who = any(name in known for name in _ANSWERED)
    for inner in outer.absorbed or ():
        _add(outer, inner)
        if not says_who and (model := _answered(inner)):
            known[_ANSWERED[0]] = model
    outer.absorbed = None


def _answered(inner: RecordedSpan) -> Any:
    """Return the model that a client's answer names; while it is asked it names the one asked for."""
    if inner.status_number == 2:
        return None
    told = inner._attributes
    named = next((told[name] for name in _ANSWERED if name in told), None)
    return named or (told.get("llm.model_name") if "llm.request.model_name" in told else None)


def _add(outer: RecordedSpan, inner: RecordedSpan) -> None:
    told, known = inner._attributes, outer._attributes
    early = told.get(semconv.FIRST_TOKEN_NS)
    if early is not None:
        early = max(early + inner._start_time - outer._start_time, 0)
        known[semconv.FIRST_TOKEN_NS] = min(early, known.get(semconv.FIRST_TOKEN_NS, early))
    if _RESPONSE_ID not in known:
        answer = told.get("output.value")
        identity = told.get(_RESPONSE_ID) or (_id_in(answer) if type(answer) is str else "")
        if identity:
            known[_RESPONSE_ID] = identity
    if outer.status_number == inner.status_number == 2 and not outer._events:
        # Who repeats an error in words of its own has no type for it.
        outer._events = inner._events
    for family in _FAMILIES:
        has = {key: value for key, value in told.items() if key.startswith(family)}
        mine = [key for key in known if key.startswith(family)]
        if not mine:
            known.update(has)
        elif family is _TOKENS and _agree(known, has):
            for key, value in has.items():
                known.setdefault(key, value)
    for key, value in told.items():
        if key not in known and key not in _OWN and not any(key.startswith(family) for family in _FAMILIES):
            known[key] = value


class _Answer(msgspec.Struct):
    """The part of a provider's answer that is wanted from its JSON."""

    id: str = ""


_ANSWER: Final = msgspec.json.Decoder(_Answer)


def _id_in(answer: str) -> str:
    try:
        return _ANSWER.decode(answer).id if answer.startswith("{") else ""
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""


def _agree(known: Mapping[str, Any], has: Mapping[str, Any]) -> bool:
    """Say whether two sets of token figures are of the same call, in one dialect or in two."""
    shared = [key for key in has if key in known]
    if shared:
        return all(known[key] == has[key] for key in shared)
    sums = [(_first(known, names), _first(has, names)) for names in _SUMS]
    return all(mine is not None and mine == theirs for mine, theirs in sums)


_SUMS: Final = (
    ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
)
"""What each dialect calls all that went in, and all that came out."""


def _first(figures: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((figures[name] for name in names if name in figures), None)
