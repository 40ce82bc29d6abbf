"""A stream folded into what it says: its memory is that of its text, not of its chunks.

Chunks of any provider's shape: plain text, OpenAI's deltas and events, Anthropic's events, Gemini's and
Ollama's pieces, Cohere's events, or objects with a text. A chunk that says none of that is kept as it is, a
few of them.
"""

from __future__ import annotations

import json
from typing import Any, Final, cast

from agentops import semconv
from agentops.instrument.written import Written
from agentops.sdk import answers
from agentops.sdk.answers import field
from agentops.sdk.events import llm_attributes

_MAX_OTHERS: Final = 100
_KINDS: Final = {
    "reasoning": "reasoning", "reasoning_content": "reasoning", "thinking": "reasoning", "refusal": "refusal",
    "content": "text", "text": "text",
}  # fmt: skip
"""What a delta calls its texts, and the kind of part that each is."""
_EVENTS: Final = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.reasoning_text.delta": "reasoning",
}
"""Events of OpenAI's whose delta is a text."""
_ARGUMENTS: Final = ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta")
_ORDER: Final = ("reasoning", "text", "refusal")


class _Said:
    """What has come of one choice."""

    def __init__(self) -> None:
        self.texts: dict[str, Written] = {}
        self.calls: dict[int, tuple[dict[str, str], Written]] = {}
        self.finish: str | None = None

    def say(self, kind: str, text: Any) -> None:
        """Take a piece of a text; of anything else nothing."""
        if isinstance(text, str) and text:
            written = self.texts.get(kind)
            if written is None:
                written = self.texts[kind] = Written()
            written.write(text)

    def call(self, index: int, identity: Any, name: Any, arguments: Any) -> None:
        """Take a piece of a tool's call."""
        known, written = self.calls.setdefault(index, ({"id": "", "name": ""}, Written()))
        known["id"] = known["id"] or str(identity or "")
        known["name"] += str(name or "")
        if arguments:
            written.write(arguments if isinstance(arguments, str) else json.dumps(arguments, default=str))

    def delta(self, delta: Any) -> None:
        """Take a delta, or a piece of a message, as OpenAI's and those of who does as OpenAI does."""
        if isinstance(delta, str):
            self.say("text", delta)
            return
        for name, kind in _KINDS.items():
            said = field(delta, name)
            # Cohere's is a block, Mistral's a list of them.
            for each in [said] if isinstance(said, str) else [*answers.items(said), said]:
                self.say(kind, each if isinstance(each, str) else field(each, "text"))
        called = field(delta, "tool_calls")
        calls = answers.items(called) or ([] if called is None else [called])
        function = field(delta, "function_call")
        if function is not None:
            self.call(0, None, field(function, "name"), field(function, "arguments"))
        for at, each in enumerate(calls):
            made = field(each, "function", "custom") or each
            index = field(each, "index")
            self.call(at if index is None else index, field(each, "id"), field(made, "name"),
                      field(made, "arguments", "input"))  # fmt: skip

    def message(self) -> dict[str, Any] | None:
        """Return the message so far; None when nothing of one has come."""
        parts: list[Any] = [
            {"type": kind, "content": str(self.texts[kind])} for kind in _ORDER if kind in self.texts
        ]
        for _, (known, written) in sorted(self.calls.items()):
            parts.append({"type": "tool_call", "id": known["id"] or None, "name": known["name"],
                          "arguments": _arguments(str(written))})  # fmt: skip
        return {"role": "assistant", "parts": parts} if parts else None


def _arguments(written: str) -> Any:
    try:
        return json.loads(written or "{}")
    except ValueError:
        return written


class Folded:
    """What the chunks of one stream have said so far."""

    def __init__(self) -> None:
        self.chunks = 0
        self.others: list[Any] = []
        """Chunks that hold nothing known, the first of them."""
        self._choices: dict[int, _Said] = {}
        self._tokens: dict[str, int] = {}
        self._model: str | None = None
        self._id: str | None = None

    def add(self, chunk: Any) -> None:
        """Take one chunk in."""
        self.chunks += 1
        if isinstance(chunk, str):
            self._of(0).say("text", chunk)
        elif not self._take(chunk) and len(self.others) < _MAX_OTHERS:
            self.others.append(chunk)

    def said(self) -> Any:
        """Return what the stream said, for a value: its text, else its chunks."""
        texts = (said.texts.get("text", "") for said in self._choices.values())
        return "".join(map(str, texts)) or self.others

    def attributes(self, client: Any) -> dict[str, Any]:
        """Return what the stream said, as attributes of its event."""
        choices = [said for _, said in sorted(self._choices.items())]
        messages = [message for said in choices if (message := said.message()) is not None]
        out = llm_attributes(client, self._model, None, messages or None)
        out.pop("gen_ai.request.model", None)
        if not messages:
            out[semconv.OUTPUT] = client.captured(self.others)
        if self._id:
            out["gen_ai.response.id"] = self._id
        ends = [said.finish for said in choices if said.finish]
        if ends:
            out["gen_ai.response.finish_reasons"] = ends
        return {**out, **self._tokens}

    def _of(self, index: int) -> _Said:
        return self._choices.setdefault(index, _Said())

    def _take(self, chunk: Any) -> bool:
        """Take a chunk that is no text; say whether it is of a known shape."""
        known = False
        for source in (chunk, field(chunk, "message"), field(chunk, "response")):
            known |= self._about(source)
        # Cohere's last event says it of what it brings.
        self._tokens.update(answers.tokens(field(chunk, "delta")))
        choices, candidates = field(chunk, "choices"), answers.items(field(chunk, "candidates"))
        kind = field(chunk, "type")
        if isinstance(choices, list):
            for at, each in enumerate(cast("list[Any]", choices)):
                self._choice(at, each)
        elif candidates:
            for at, each in enumerate(candidates):
                self._candidate(at, each)
        elif isinstance(kind, str) and self._event(kind, chunk):
            return True
        else:
            return self._piece(chunk) or known
        return True

    def _about(self, source: Any) -> bool:
        """Note what a chunk, or what it holds, says of the whole answer."""
        if source is None or isinstance(source, str):
            return False
        self._model = answers.model_of(source) or self._model
        identity = field(source, "id")
        if isinstance(identity, str) and self._id is None:
            self._id = identity
        told = answers.tokens(source)
        self._tokens.update(told)
        return bool(told)

    def _choice(self, at: int, choice: Any) -> None:
        index = field(choice, "index")
        said = self._of(at if index is None else index)
        delta = field(choice, "delta", "message")
        said.delta(choice if delta is None else delta)
        said.finish = next(iter(answers.ends(choice)), said.finish)

    def _candidate(self, at: int, candidate: Any) -> None:
        said = self._of(field(candidate, "index") or at)
        for message in answers.items(answers.completion({"candidates": [candidate]})):
            for part in message["parts"]:
                if part["type"] == "tool_call":
                    said.call(len(said.calls), part["id"], part["name"], part["arguments"])
                else:
                    said.say(part["type"], part["content"])
        said.finish = next(iter(answers.ends(candidate)), said.finish)

    def _event(self, kind: str, event: Any) -> bool:
        """Take an event of OpenAI's responses, of Anthropic's or of Cohere's messages."""
        said, delta = self._of(0), field(event, "delta")
        at = field(event, "output_index", "index") or 0
        item = field(event, "item", "content_block")
        if kind in _EVENTS:
            said.say(_EVENTS[kind], delta)
        elif kind in _ARGUMENTS:
            said.call(at, None, None, delta)
        elif kind in ("response.output_item.added", "content_block_start"):
            if field(item, "name") is not None:
                said.call(at, field(item, "call_id", "id"), field(item, "name"), None)
            said.delta({"text": field(item, "text")})
        elif kind == "content_block_delta" and field(delta, "partial_json") is not None:
            said.call(at, None, None, field(delta, "partial_json"))
        elif delta is not None and not isinstance(delta, str):
            said.delta(field(delta, "message") or delta)
        elif field(event, "message", "response") is None:
            return False
        said.finish = next(iter((*answers.ends(delta), *answers.ends(field(event, "response")))), said.finish)
        return True

    def _piece(self, chunk: Any) -> bool:
        """Take a piece that is a message, as Ollama's, or that has a text or a delta."""
        said = self._of(0)
        ended = answers.ends(chunk)
        said.finish = next(iter(ended), said.finish)
        found = field(chunk, "message", "delta")
        if found is None and not isinstance(found := field(chunk, "text", "content", "response"), str):
            return bool(ended)
        said.delta(found)
        return True
