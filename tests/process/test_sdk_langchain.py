"""The LangChain callbacks: without LangChain a clear hint, with it every run an event in its place.

LangChain itself is no part of the test environment: a stand-in of its base class is, and the calls that it
makes, as langchain-core 1.7 makes them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process.test_sdk_ending import ends, run


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
    code, out, _, journal = run(
        tmp_path,
        f"""
        from {place} import LangchainCallbackHandler
        try:
            LangchainCallbackHandler()
        except ImportError as error:
            print(error)
        """,
    )
    assert code == 0
    assert "pip install 'agentops[langchain]'" in out
    assert journal.spans == []


RUNS = """
from types import SimpleNamespace as Thing
from uuid import uuid4
from agentops.integration import LangchainCallbackHandler
told = LangchainCallbackHandler(tags=["chain"], instrument_llm_calls=False)
chain, model, tool, search = uuid4(), uuid4(), uuid4(), uuid4()
told.on_chain_start(None, {"q": "hi"}, run_id=chain, parent_run_id=None, name="Chain")
asked = Thing(type="human", content="hi")
told.on_chat_model_start(
    {"name": "ChatModel"}, [[asked]], run_id=model, parent_run_id=chain,
    invocation_params={"model": "gpt-4o"},
)
told.on_llm_new_token("he", run_id=model)
answer = Thing(
    type="AIMessageChunk", content="hello", tool_calls=[{"id": "c1", "name": "add", "args": {"a": 1}}],
    usage_metadata={"input_tokens": 3, "output_tokens": 4, "input_token_details": {"cache_read": 2}},
    response_metadata={"id": "r1", "model_name": "gpt-4o-2024-08-06"},
)
told.on_llm_end(Thing(generations=[[Thing(message=answer, text="hello")]], llm_output=None), run_id=model)
told.on_tool_start({"name": "add"}, "{'a': 1}", run_id=tool, parent_run_id=chain, inputs={"a": 1})
told.on_tool_error(ValueError("no"), run_id=tool)
told.on_retriever_start({}, "where", run_id=search, parent_run_id=chain, name="Search")
told.on_retriever_end([Thing(page_content="here", metadata={"n": 1})], run_id=search)
told.on_chain_end(answer, run_id=chain)
told.on_llm_end(object(), run_id=uuid4())
agentops.end_session("Success")
"""


def test_every_run_is_an_event_below_the_run_it_is_part_of(tmp_path: Path) -> None:
    folder = tmp_path / "modules" / "langchain_core" / "callbacks"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "__init__.py").touch()
    (folder / "base.py").write_text("class BaseCallbackHandler:\n    pass\n")
    code, _, error, journal = run(tmp_path, RUNS, PYTHONPATH=str(tmp_path / "modules"))
    assert code == 0, error
    assert "could not be written" not in error
    assert ends(journal) == [("Success", None)]
    chain = journal.named("Chain")
    assert {span.name: span.kind for span in journal.events if span is not chain} == {
        "gpt-4o": "llm",
        "add": "tool",
        "Search": "retrieval",
    }
    assert {span.parent_id for span in journal.events if span is not chain} == {chain.span_id}
    model = journal.named("gpt-4o")
    assert model.attributes["gen_ai.response.model"] == "gpt-4o-2024-08-06"
    assert model.attributes["gen_ai.response.id"] == "r1"
    assert model.attributes["gen_ai.usage.input_tokens"] == 3
    assert model.attributes["gen_ai.usage.cache_read.input_tokens"] == 2
    assert "gen_ai.usage.reasoning.output_tokens" not in model.attributes
    assert '"role":"assistant"' in model.attributes["gen_ai.output.messages"]
    assert "add" in model.attributes["gen_ai.output.messages"]
    assert (journal.named("add").status, journal.named("add").message) == (2, "ValueError: no")
    assert journal.named("Search").output == [{"page_content": "here", "metadata": {"n": 1}}]
    assert chain.output["role"] == "assistant"
