"""An agent of LangGraph that calls a tool, asynchronously."""

import asyncio

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

import agentops

agentops.init(tags=["langgraph"])


def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


agent = create_agent(ChatOpenAI(model="gpt-4o"), [get_weather], name="forecaster")
answer = asyncio.run(agent.ainvoke({"messages": [{"role": "user", "content": "Weather in Paris?"}]}))
print(answer["messages"][-1].content)
agentops.end_session("Success")
