"""A team of AutoGen with an agent that calls a tool, and an agent whose tool fails."""

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient

import agentops

agentops.init(tags=["autogen"])


def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


def lose_weather(city: str) -> str:
    """Lose the weather of a city."""
    raise LookupError(f"No 21 degrees in {city}")


async def main():
    client = OpenAIChatCompletionClient(model="gpt-4o")
    agent = AssistantAgent("forecaster", client, tools=[get_weather], reflect_on_tool_use=True)
    team = RoundRobinGroupChat([agent], termination_condition=MaxMessageTermination(2))
    print((await team.run(task="Weather in Paris?")).messages[-1].content)
    loser = AssistantAgent("loser", client, tools=[lose_weather], reflect_on_tool_use=True)
    print((await loser.run(task="Weather in Paris?")).messages[-1].content)
    team = RoundRobinGroupChat([agent], termination_condition=MaxMessageTermination(2))
    async for message in team.run_stream(task="Weather in Paris?"):
        if message.source == "forecaster":
            break
    print(
        (await agent.run(task="Weather in Paris?")).messages[-1].content
    )  # Beside the stream that was left.
    await client.close()


asyncio.run(main())
agentops.end_session("Success")
