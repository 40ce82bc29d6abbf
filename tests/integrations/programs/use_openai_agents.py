"""Agents of the OpenAI Agents SDK: one calls a tool, one's run fails, one's stream is left."""

import asyncio

import openai
from agents import Agent, Runner, function_tool

import agentops

agentops.init(tags=["openai-agents"])


@function_tool
def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


forecaster = Agent(name="forecaster", instructions="You are terse.", model="gpt-4o", tools=[get_weather])
print(Runner.run_sync(forecaster, "Weather in Paris?").final_output)
try:
    Runner.run_sync(Agent(name="lost", model="missing-model"), "Weather in Paris?")
except openai.NotFoundError as error:
    print(error)


async def leave():
    result = Runner.run_streamed(Agent(name="left", model="gpt-4o"), "Hello")
    async for event in result.stream_events():
        print(event.type)
        result.cancel()


asyncio.run(leave())
agentops.end_session("Success")
