"""An agent of smolagents that calls a tool."""

import os

from smolagents import OpenAIModel, ToolCallingAgent, tool

import agentops

agentops.init(tags=["smolagents"])


@tool
def get_weather(city: str) -> str:
    """Say the weather of a city.

    Args:
        city: Its name.
    """
    return f"21 degrees in {city}"


model = OpenAIModel("gpt-4o", api_base=os.environ["OPENAI_BASE_URL"], api_key="none")
agent = ToolCallingAgent([get_weather], model, name="forecaster", description="Knows the weather")
print(agent.run("Weather in Paris?"))
agentops.end_session("Success")
