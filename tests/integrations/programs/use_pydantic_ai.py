"""An agent of Pydantic AI that calls a tool."""

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel

import agentops

agentops.init(tags=["pydantic-ai"])
forecaster = Agent(OpenAIChatModel("gpt-4o"), name="forecaster", instructions="You are terse.")


@forecaster.tool_plain
def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


print(forecaster.run_sync("Weather in Paris?").output)
agentops.end_session("Success")
