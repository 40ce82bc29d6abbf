"""Agents of the OpenAI Agents SDK: a tool called, a tool failed, a guardrail, a run failed, a stream left."""

import asyncio

import openai
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    Runner,
    function_tool,
    input_guardrail,
)

import agentops

agentops.init(tags=["openai-agents"])


@function_tool
def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


@function_tool(failure_error_function=lambda context, error: f"No 21 degrees: {error}")
def lose_weather(city: str) -> str:
    """Lose the weather of a city."""
    raise LookupError("lost")


@input_guardrail
async def politely(context, agent, given):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="please" not in given)


forecaster = Agent(name="forecaster", instructions="You are terse.", model="gpt-4o", tools=[get_weather])
print(Runner.run_sync(forecaster, "Weather in Paris?").final_output)
try:
    Runner.run_sync(Agent(name="lost", model="missing-model"), "Weather in Paris?")
except openai.NotFoundError as error:
    print(error)
print(Runner.run_sync(Agent(name="loser", model="gpt-4o", tools=[lose_weather]), "Weather?").final_output)
polite = Agent(name="polite", model="gpt-4o", input_guardrails=[politely])
print(Runner.run_sync(polite, "Weather, please?").final_output)
try:
    Runner.run_sync(polite, "Weather!")
except InputGuardrailTripwireTriggered as error:
    print(error)


async def leave():
    result = Runner.run_streamed(Agent(name="left", model="gpt-4o"), "Hello")
    async for event in result.stream_events():
        print(event.type)
        result.cancel()


asyncio.run(leave())
agentops.end_session("Success")
