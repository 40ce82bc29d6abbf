"""Agents of LangGraph: two call a tool, one's events are left, one is cancelled."""

import asyncio

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import create_react_agent

import agentops

agentops.init(tags=["langgraph"])


def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


agent = create_agent(ChatOpenAI(model="gpt-4o"), [get_weather], name="forecaster")
answer = asyncio.run(agent.ainvoke({"messages": [{"role": "user", "content": "Weather in Paris?"}]}))
print(answer["messages"][-1].content)


def ask_weather_agent(city: str) -> str:
    """Say the weather of a city."""
    return (
        ChatOpenAI(model="gpt-4o")
        .with_config(run_name="agent's model")
        .invoke(f"21 degrees in {city}?")
        .content
    )


older = create_react_agent(ChatOpenAI(model="gpt-4o"), [ask_weather_agent], name="older")
print(older.invoke({"messages": [{"role": "user", "content": "Weather in Paris?"}]})["messages"][-1].content)
unnamed = create_react_agent(ChatOpenAI(model="gpt-4o"), [])
around = StateGraph(MessagesState).add_node("helper", unnamed).add_edge(START, "helper").compile()
print(
    around.invoke({"messages": [{"role": "user", "content": "Capital of France?"}]})["messages"][-1].content
)


class Waiting(GenericFakeChatModel):
    """A model that begins to answer, and never ends."""

    async def _agenerate(self, *args, **kwargs):
        asked.set()
        await asyncio.Event().wait()

    async def _astream(self, *args, **kwargs):
        yield ChatGenerationChunk(message=AIMessageChunk(content="Paris "))
        await asyncio.Event().wait()


asked = asyncio.Event()
question = {"messages": [{"role": "user", "content": "Weather in Paris?"}]}
waiter = create_agent(Waiting(messages=iter(())), [], name="waiter")


async def leave():
    async for event in waiter.astream_events(question, version="v2"):
        if event["event"] == "on_chat_model_stream":
            break


async def cancel():
    running = asyncio.create_task(waiter.ainvoke(question))
    await asked.wait()
    running.cancel()
    await asyncio.wait([running])


asyncio.run(leave())
asyncio.run(cancel())
agentops.end_session("Success")
