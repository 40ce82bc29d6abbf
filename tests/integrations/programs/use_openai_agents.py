"""Two agents of the OpenAI Agents SDK: one calls a tool, then hands over."""

from agents import Agent, Runner, function_tool

import agentops

agentops.init(tags=["openai-agents"])


@function_tool
def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


forecaster = Agent(name="forecaster", instructions="You are terse.", model="gpt-4o", tools=[get_weather])
print(Runner.run_sync(forecaster, "Weather in Paris?").final_output)
agentops.end_session("Success")
