"""A pipeline of Haystack, and its agent that calls a tool, imported after `init`."""

# ruff: noqa: E402
import agentops

agentops.init(tags=["haystack"])

from haystack import Pipeline
from haystack.components.agents import Agent
from haystack.components.builders import ChatPromptBuilder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import tool


@tool
def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


pipeline = Pipeline()
pipeline.add_component("prompt", ChatPromptBuilder([ChatMessage.from_user("Capital of {{country}}?")]))
pipeline.add_component("model", OpenAIChatGenerator(model="gpt-4o"))
pipeline.connect("prompt.prompt", "model.messages")
print(pipeline.run({"prompt": {"country": "France"}})["model"]["replies"][0].text)

agent = Agent(chat_generator=OpenAIChatGenerator(model="gpt-4o"), tools=[get_weather])
print(agent.run(messages=[ChatMessage.from_user("Weather in Paris?")])["messages"][-1].text)
agentops.end_session("Success")
