"""An agent of Agno that calls a tool."""

from agno.agent import Agent
from agno.models.openai import OpenAIChat

import agentops

agentops.init(tags=["agno"])


def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


agent = Agent(name="forecaster", model=OpenAIChat(id="gpt-4o"), tools=[get_weather], telemetry=False)
print(agent.run("Weather in Paris?").content)
agentops.end_session("Success")
