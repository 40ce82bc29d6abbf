"""LangchainCallbackHandler: LangChain's runs as events of a session, told by LangChain's own callbacks.

    chain.invoke(question, config={"callbacks": [LangchainCallbackHandler(tags=["production"])]})

Importable without LangChain; making one then fails with what to install. Where the LangChain instrumentor
records the program already, the callbacks record nothing: no run counts twice.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.context import Context, get_current

from agentops import semconv
from agentops.ambient import OWN, SPAN
from agentops.sdk.client import client
from agentops.sdk.events import llm_attributes
from agentops.sdk.functions import init

if TYPE_CHECKING:
    from agentops.sdk.session import Session
    from agentops.sdk.spans import RecordedSpan

_LIBRARY: Final = "langchain_core"
_ROLES: Final[Mapping[str, str]] = {"human": "user", "ai": "assistant"}
_MAX_OPEN: Final = 10_000


def _base() -> Any:
    try:
        from langchain_core.callbacks.base import (  # type: ignore[import-not-found] # pyright: ignore
            BaseCallbackHandler,  # pyright: ignore[reportUnknownVariableType] -- installed by an extra
        )
    except ImportError:
        return object
    return cast("Any", BaseCallbackHandler)


_Base: Final = _base()


class LangchainCallbackHandler(_Base):
    """Records the runs that LangChain tells it of: models, tools, chains, retrievers, and their errors.

    Args:
        api_key: as `agentops.init` takes it; used when that was not called before.
        tags: of the session that is started when there is none.
        auto_session: whether to start one.
        more: further keywords of `agentops.init`.

    Raises:
        ImportError: LangChain is not installed; the message says what is missing.
    """

    run_inline = True
    """Called where the run is, so that the session bound there is found."""
    raise_error = False

    def __init__(
        self, api_key: str | None = None, tags: Any = None, auto_session: bool = True, **more: Any
    ) -> None:
        if _Base is object:
            raise ImportError(
                "LangchainCallbackHandler needs LangChain, which is not installed: "
                "pip install 'agentops[langchain]' langchain-core"
            )
        super().__init__()
        self._spans: dict[Any, RecordedSpan] = {}
        self.session: Session | None = None
        """The session that this object started; None when there was one."""
        if not client.ready:
            self.session = init(api_key, tags=tags, auto_start_session=auto_session, **more)
        elif auto_session and not client.registry.active:
            from agentops.sdk.settings import words

            self.session = client.session(name=None, tags=words(tags))

    @property
    def current_session_ids(self) -> list[str]:
        """The ids of the active sessions."""
        return [core.text for core in client.registry.all()]

    # Models.

    def on_llm_start(self, serialized: Any, prompts: list[str], *, run_id: Any, **told: Any) -> None:
        """Note that a completion model begins."""
        self._model(serialized, prompts if len(prompts) != 1 else prompts[0], run_id, told)

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: Any, **told: Any) -> None:
        """Note that a chat model begins."""
        self._model(serialized, [_message(one) for batch in messages for one in batch], run_id, told)

    def on_llm_new_token(self, token: str, *, run_id: Any, **told: Any) -> None:
        """Note when the first piece of a streamed answer came."""
        span = self._spans.get(run_id)
        if span is not None and semconv.FIRST_TOKEN_NS not in (span.attributes or {}):
            span.set_attribute(semconv.FIRST_TOKEN_NS, max(time.time_ns() - (span.start_time or 0), 0))

    def on_llm_end(self, response: Any, *, run_id: Any, **told: Any) -> None:
        """Note what a model answered, and with how many tokens."""
        self._end(run_id, lambda: _answer(response))

    def on_llm_error(self, error: BaseException, *, run_id: Any, **told: Any) -> None:
        """Note that a model failed."""
        self._fail(run_id, error)

    # Tools, chains and retrievers.

    def on_tool_start(self, serialized: Any, input_str: str, *, run_id: Any, **told: Any) -> None:
        """Note that a tool is used."""
        given = told.get("inputs") or input_str
        name = _name(serialized, told, "tool")
        self._begin("tool", name, {semconv.TOOL_NAME: name, semconv.INPUT: given}, run_id, told)

    def on_tool_end(self, output: Any, *, run_id: Any, **told: Any) -> None:
        """Note what a tool gave."""
        self._end(run_id, lambda: {semconv.OUTPUT: client.captured(_plain(output))})

    def on_tool_error(self, error: BaseException, *, run_id: Any, **told: Any) -> None:
        """Note that a tool failed."""
        self._fail(run_id, error)

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: Any, **told: Any) -> None:
        """Note that a chain begins."""
        self._begin(
            "operation", _name(serialized, told, "chain"), {semconv.INPUT: _plain(inputs)}, run_id, told
        )

    def on_chain_end(self, outputs: Any, *, run_id: Any, **told: Any) -> None:
        """Note what a chain gave."""
        self._end(run_id, lambda: {semconv.OUTPUT: client.captured(_plain(outputs))})

    def on_chain_error(self, error: BaseException, *, run_id: Any, **told: Any) -> None:
        """Note that a chain failed."""
        self._fail(run_id, error)

    def on_retriever_start(self, serialized: Any, query: str, *, run_id: Any, **told: Any) -> None:
        """Note that documents are searched for."""
        self._begin("retrieval", _name(serialized, told, "retriever"), {semconv.INPUT: query}, run_id, told)

    def on_retriever_end(self, documents: Any, *, run_id: Any, **told: Any) -> None:
        """Note which documents were found."""
        self._end(run_id, lambda: {semconv.OUTPUT: client.captured(_plain(documents))})

    def on_retriever_error(self, error: BaseException, *, run_id: Any, **told: Any) -> None:
        """Note that a search failed."""
        self._fail(run_id, error)

    # How a run becomes an event.

    def _model(self, serialized: Any, prompt: Any, run_id: Any, told: Mapping[str, Any]) -> None:
        asked: Mapping[str, Any] = told.get("invocation_params") or {}
        noted: Mapping[str, Any] = told.get("metadata") or {}
        model = asked.get("model") or asked.get("model_name") or noted.get("ls_model_name")
        with _kept():
            attributes = llm_attributes(client, model, prompt, None)
            name = model if isinstance(model, str) else _name(serialized, told, "llm")
            self._begin("llm", name, attributes, run_id, told)

    def _begin(
        self, kind: str, name: str, attributes: dict[str, Any], run_id: Any, told: Mapping[str, Any]
    ) -> None:
        with _kept():
            if not client.ready or (client.libraries is not None and client.libraries.enabled(_LIBRARY)):
                return
            above = self._spans.get(told.get("parent_run_id"))
            where = get_current()
            if above is not None:
                where = Context({**where, SPAN: above, OWN: above})
            core = above.core if above is not None else client.belonging.find(where)
            if core is None:
                client.unplaced(name)
                return
            given = attributes.get(semconv.INPUT)
            if given is not None and kind != "llm":
                attributes[semconv.INPUT] = client.captured(given)
            self._spans[run_id] = client.open(core, where, name, {semconv.SPAN_KIND: kind, **attributes})
            while len(self._spans) > _MAX_OPEN:  # Runs that LangChain never ended.
                self._spans.pop(next(iter(self._spans)))

    def _end(self, run_id: Any, said: Callable[[], dict[str, Any]]) -> None:
        span = self._spans.pop(run_id, None)
        if span is not None:
            with _kept():
                span.set_attributes(said())
            span.end()

    def _fail(self, run_id: Any, error: BaseException) -> None:
        span = self._spans.pop(run_id, None)
        if span is not None:
            with _kept():
                span.fail(error)
            span.end()


class AsyncLangchainCallbackHandler(LangchainCallbackHandler):
    """The same by its other name: LangChain calls either from sync and async runs alike."""


@contextlib.contextmanager
def _kept() -> Any:
    """Keep what goes wrong while recording out of the run."""
    try:
        yield
    except Exception as error:
        if client.ready:
            client.recorder.failed(error)


def _name(serialized: Any, told: Mapping[str, Any], otherwise: str) -> str:
    known: Mapping[str, Any] = (
        cast("Mapping[str, Any]", serialized) if isinstance(serialized, Mapping) else {}
    )
    path = known.get("id")
    last = cast("list[Any]", path)[-1] if isinstance(path, list) and path else None
    return str(told.get("name") or known.get("name") or last or otherwise)


def _message(message: Any) -> dict[str, Any]:
    kind = str(getattr(message, "type", "user")).removesuffix("MessageChunk").lower()
    found: dict[str, Any] = {
        "role": _ROLES.get(kind, kind),
        "content": getattr(message, "content", None) or "",
    }
    calls: list[Any] = getattr(message, "tool_calls", None) or []
    if calls:
        found["tool_calls"] = [
            {
                "id": call.get("id"),
                "type": "function",
                "function": {
                    "name": call.get("name"),
                    "arguments": json.dumps(call.get("args"), default=str),
                },
            }
            for call in calls
        ]
    if getattr(message, "tool_call_id", None):
        found["tool_call_id"] = message.tool_call_id
    return found


def _plain(value: Any) -> Any:
    """Return messages and documents among a run's values as plain ones."""
    if hasattr(value, "to_messages"):
        return [_message(one) for one in value.to_messages()]
    if hasattr(value, "content") and hasattr(value, "type"):
        return _message(value)
    if hasattr(value, "page_content"):
        return {"page_content": value.page_content, "metadata": getattr(value, "metadata", None)}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast("list[Any]", value)]
    return value


def _answer(response: Any) -> dict[str, Any]:
    """Return what an LLMResult says: messages, model, id, tokens; those it does not name are unknown."""
    given = [one for batch in response.generations for one in batch]
    spoken = [getattr(one, "message", None) for one in given]
    said = [
        _message(message) if message is not None else one.text
        for message, one in zip(spoken, given, strict=True)
    ]
    first = next((message for message in spoken if message is not None), None)
    about: Mapping[str, Any] = getattr(first, "response_metadata", None) or {}
    overall: Mapping[str, Any] = getattr(response, "llm_output", None) or {}
    model = about.get("model_name") or about.get("model") or overall.get("model_name")
    out = llm_attributes(client, model, None, said[0] if len(said) == 1 else said)
    out.pop("gen_ai.request.model", None)
    identity = about.get("id") or overall.get("id")
    if isinstance(identity, str):
        out["gen_ai.response.id"] = identity
    usage: Mapping[str, Any] = (
        getattr(first, "usage_metadata", None) or overall.get("token_usage") or overall.get("usage") or {}
    )
    read: Mapping[str, Any] = usage.get("input_token_details") or {}
    wrote: Mapping[str, Any] = usage.get("output_token_details") or {}
    figures = {
        "gen_ai.usage.input_tokens": usage.get("input_tokens", usage.get("prompt_tokens")),
        "gen_ai.usage.output_tokens": usage.get("output_tokens", usage.get("completion_tokens")),
        "gen_ai.usage.cache_read.input_tokens": read.get("cache_read"),
        "gen_ai.usage.cache_creation.input_tokens": read.get("cache_creation"),
        "gen_ai.usage.reasoning.output_tokens": wrote.get("reasoning"),
    }
    return {**out, **{name: value for name, value in figures.items() if isinstance(value, int)}}
