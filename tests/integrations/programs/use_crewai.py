"""A crew of CrewAI with one agent that calls a tool, and a flow."""

from crewai import LLM, Agent, Crew, Task
from crewai.flow.flow import Flow, start
from crewai.tools import tool

import agentops

agentops.init(tags=["crewai"])


@tool("get_weather")
def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


agent = Agent(
    role="forecaster",
    goal="Say the weather",
    backstory="Terse",
    tools=[get_weather],
    llm=LLM("openai/gpt-4o"),
)
task = Task(description="Weather in Paris?", expected_output="One sentence", agent=agent)
print(Crew(name="weather", agents=[agent], tasks=[task]).kickoff().raw)


class Report(Flow):
    @start()
    def ask(self):
        return LLM("openai/gpt-4o").call("Capital of France?")


print(Report().kickoff())
agentops.end_session("Success")
