"""An agent of smolagents that calls a tool, one that fails, streamed too, and the first again."""

import os

from smolagents import AgentError, OpenAIModel, ToolCallingAgent, tool

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
missing = OpenAIModel("missing-model", api_base=os.environ["OPENAI_BASE_URL"], api_key="none")
try:
    ToolCallingAgent([get_weather], missing, name="failing", description="Fails").run("Weather in Paris?")
except AgentError as error:
    print(error)
try:
    list(
        ToolCallingAgent([get_weather], missing, name="streaming", description="Fails").run(
            "Weather?", stream=True
        )
    )
except AgentError as error:
    print(error)
for step in agent.run("Weather in Paris?", stream=True):
    print(step)
    break
print(agent.run("Weather in Paris?"))  # Beside the runs that failed or were left, and not below one.
agentops.end_session("Success")
