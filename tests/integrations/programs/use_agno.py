"""An agent of Agno that calls a tool, in a team, and alone again; one whose tool fails; a stream left."""

import asyncio

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from agno.team import Team

import agentops

agentops.init(tags=["agno"])


def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


def lose_weather(city: str) -> str:
    """Lose the weather of a city."""
    raise LookupError(f"No 21 degrees in {city}")


agent = Agent(name="forecaster", model=OpenAIChat(id="gpt-4o"), tools=[get_weather], telemetry=False)
print(agent.run("Weather in Paris?").content)
team = Team(name="crew", members=[agent], model=OpenAIChat(id="gpt-4o"), telemetry=False)
print(team.run("Weather in Paris?").content)
print(agent.run("Weather in Paris?").content)  # Beside the team, and not below it.
loser = Agent(name="loser", model=OpenAIChat(id="gpt-4o"), tools=[lose_weather], telemetry=False)
print(loser.run("Weather in Paris?").content)


async def leave():
    async for event in agent.arun("Weather in Paris?", stream=True):
        print(event.event)
        break
    print((await agent.arun("Weather in Paris?")).content)  # Beside the stream that was left.


asyncio.run(leave())
agentops.end_session("Success")
