"""The LangChain callbacks: without LangChain a clear hint, with the real one every run an event in place."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.process.test_sdk_ending import ends, run
from tests.recorded import Journal, Recorded


@pytest.mark.parametrize(
    "place",
    [
        "agentops.integration",
        "agentops.integration.callbacks.langchain",
        "agentops.partners.langchain_callback_handler",
    ],
)
def test_without_langchain_importing_is_fine_and_making_one_says_what_to_install(
    tmp_path: Path, place: str
) -> None:
    code, out, error, journal = run(
        tmp_path,
        f"""
        import sys
        sys.modules["langchain_core"] = None  # As if it were not installed.
        from {place} import AsyncLangchainCallbackHandler, LangchainCallbackHandler
        for handler in (AsyncLangchainCallbackHandler, LangchainCallbackHandler):
            try:
                handler()
            except ImportError as error:
                print(error)
        """,
    )
    assert code == 0, error
    assert out.count("pip install 'agentops[langchain]'") == 2
    assert journal.spans == []


RUNS = """
import asyncio
from langchain_core.documents import Document
from langchain_core.language_models import FakeListLLM
from langchain_core.language_models.fake_chat_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from agentops.partners.langchain_callback_handler import LangchainCallbackHandler

told = LangchainCallbackHandler(tags=["chain"], instrument_llm_calls=False)
config = {"callbacks": [told]}

class Library(BaseRetriever):
    def _get_relevant_documents(self, query, *, run_manager):
        return [Document(page_content="Tea is a drink.", metadata={"page": 3})]

@tool
def add(a: int, b: int) -> int:
    "Add."
    return a + b

@tool
def broken(a: int) -> int:
    "Fail."
    raise ValueError("no tea")

class Failing(FakeListChatModel):
    def _call(self, *given, **more):
        raise RuntimeError("rate limit")

def answer(text, **more):
    return AIMessage(
        text,
        usage_metadata={
            "input_tokens": 12, "output_tokens": 4, "total_tokens": 16,
            "input_token_details": {"cache_read": 5},
        },
        response_metadata={"model_name": "gpt-4o-2024-08-06", "id": "r1"},
        **more,
    )

def model(text, **more):
    return GenericFakeChatModel(messages=iter([answer(text, **more)]))

def use(message):
    for call in message.tool_calls:
        add.invoke(call["args"])
    return message

prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{question}")])
asked = model("Tea.", tool_calls=[{"name": "add", "args": {"a": 1, "b": 2}, "id": "c1"}])
given = RunnableParallel(question=RunnableLambda(lambda q: q), docs=Library())

def chain(asked):
    return (given | prompt | asked | RunnableLambda(use) | StrOutputParser()).with_config(run_name="Answer")

assert chain(asked).invoke("What is tea?", config=config) == "Tea."
streamed = model("a b c").with_config(run_name="streamed")
assert "".join(chunk.content for chunk in streamed.stream([HumanMessage("go")], config=config)) == "a b c"

async def later():
    said = [SystemMessage("s"), HumanMessage("hi"), ToolMessage("3", tool_call_id="c1")]
    assert (await model("later").ainvoke(said, config=config)).content == "later"
    read = model("d e").with_config(run_name="read")
    assert "".join([chunk.content async for chunk in read.astream("go", config=config)]) == "d e"
    asked = [chain(model(f"at once {n}")).ainvoke(f"q{n}", config=config) for n in range(3)]
    assert await asyncio.gather(*asked) == ["at once 0", "at once 1", "at once 2"]
    plain = RunnableLambda(lambda text: FakeListLLM(responses=["plain"]).invoke(text))
    await plain.with_config(run_name="Plain").ainvoke("q", config=config)

asyncio.run(later())
for fails, taken in ((broken, {"a": 1}), (Failing(responses=["x"]), "x")):
    try:
        fails.invoke(taken, config=config)
    except (RuntimeError, ValueError) as error:
        print(error)
with agentops.start_session(name="other"):
    FakeListChatModel(responses=["inside"]).with_config(run_name="inside").invoke("x", config=config)
assert not told._spans
agentops.end_session("Success")
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    code, out, error, journal = run(tmp_path_factory.mktemp("langchain"), RUNS)
    assert (code, out) == (0, "no tea\nrate limit\n"), error
    assert "could not be written" not in error
    assert sorted(ends(journal)) == [("Success", None), ("Success", None)]
    return journal


def below(journal: Journal, span: Recorded) -> list[Recorded]:
    return [one for one in journal.spans if (one.trace_id, one.parent_id) == (span.trace_id, span.span_id)]


def shape(journal: Journal, span: Recorded) -> Any:
    runs = [shape(journal, one) for one in below(journal, span)]
    # Branches run in threads: whichever ends first.
    return (span.kind, span.name, sorted(runs) if span.name.startswith("RunnableParallel") else runs)


def first(journal: Journal, name: str, taken: str) -> Recorded:
    (found,) = [
        span
        for span in journal.spans
        if span.name == name and json.dumps(taken) in span.attributes.get("agentops.entity.input", "")
    ]
    return found


def messages(span: Recorded, which: str) -> Any:
    return json.loads(span.attributes[f"gen_ai.{which}.messages"])


def test_a_chain_is_one_tree_of_its_runs(recorded: Journal) -> None:
    assert shape(recorded, first(recorded, "Answer", "What is tea?")) == (
        "operation",
        "Answer",
        [
            (
                "operation",
                "RunnableParallel<question,docs>",
                [("operation", "RunnableLambda", []), ("retrieval", "Library", [])],
            ),
            ("operation", "ChatPromptTemplate", []),
            ("llm", "GenericFakeChatModel", []),
            ("operation", "use", [("tool", "add", [])]),
            ("operation", "StrOutputParser", []),
        ],
    )


def test_chains_at_once_keep_their_runs_apart(recorded: Journal) -> None:
    for number in range(3):
        chain = first(recorded, "Answer", f"q{number}")
        (model,) = [span for span in below(recorded, chain) if span.kind == "llm"]
        assert messages(model, "input")[-1]["parts"][0]["content"] == f"q{number}"
        assert messages(model, "output")[0]["parts"][0]["content"] == f"at once {number}"


def test_a_models_run_has_its_messages_model_and_tokens(recorded: Journal) -> None:
    chain = first(recorded, "Answer", "What is tea?")
    (model,) = [span for span in below(recorded, chain) if span.kind == "llm"]
    assert [message["role"] for message in messages(model, "input")] == ["system", "user"]
    assert messages(model, "output")[0]["parts"][1] == {
        "type": "tool_call", "id": "c1", "name": "add", "arguments": {"a": 1, "b": 2}
    }  # fmt: skip
    found = model.attributes
    assert found["gen_ai.response.model"] == "gpt-4o-2024-08-06"
    assert found["gen_ai.response.id"] == "r1"
    assert found["gen_ai.usage.input_tokens"] == 12
    assert found["gen_ai.usage.output_tokens"] == 4
    assert found["gen_ai.usage.cache_read.input_tokens"] == 5
    assert "gen_ai.usage.reasoning.output_tokens" not in found


def test_streams_have_their_whole_text_and_the_time_of_its_first_piece(recorded: Journal) -> None:
    for name, text in (("streamed", "a b c"), ("read", "d e")):
        span = recorded.named(name)
        assert messages(span, "output")[0]["parts"][0]["content"] == text
        assert 0 < span.attributes["agentops.llm.first_token_ns"] < span.ended_at - span.started_at


def test_tools_and_retrievers_say_what_went_in_and_out(recorded: Journal) -> None:
    add = next(span for span in recorded.spans if span.name == "add")
    assert (add.input, add.output) == ({"a": 1, "b": 2}, 3)
    library = next(span for span in recorded.spans if span.name == "Library")
    assert library.output == [{"page_content": "Tea is a drink.", "metadata": {"page": 3}}]


def test_what_fails_is_an_error_with_its_reason(recorded: Journal) -> None:
    failed = {span.name: span.message for span in recorded.spans if span.status == 2}
    assert failed == {"broken": "ValueError: no tea", "Failing": "RuntimeError: rate limit"}


def test_runs_belong_to_the_session_that_is_bound(recorded: Journal) -> None:
    other = recorded.named("other")
    (inside,) = below(recorded, other)
    assert inside.kind == "llm"
    assert messages(inside, "output")[0]["parts"][0]["content"] == "inside"
    kinds = Counter(span.kind for span in recorded.events)
    assert (kinds["llm"], kinds["tool"], kinds["retrieval"]) == (10, 2, 4)
