"""Agents of LlamaIndex that call a tool; prompts; a stream that is left; a model that it does not know."""

import asyncio

from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.llms.openai import OpenAI

import agentops

agentops.init(tags=["llama-index"])


def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


async def main():
    agent = FunctionAgent(
        name="forecaster", description="Knows the weather", tools=[get_weather], llm=OpenAI(model="gpt-4o")
    )
    print(await agent.run("Weather in Paris?"))
    print(await AgentWorkflow(agents=[agent]).run("Weather in Paris?"))
    print(await OpenAI(model="gpt-4o").acomplete("Capital?"))
    print(OpenAI(model="gpt-4o").predict(PromptTemplate("Capital of {land}?"), land="France"))
    for _, piece in zip(
        range(4), OpenAI(model="gpt-4o").stream_chat([ChatMessage("Capital?")]), strict=False
    ):
        print(piece.delta)  # Left early: no failure of the model's.
    try:
        OpenAI(model="house-model").chat([ChatMessage("Capital?")])
    except ValueError as error:
        print(error)
    print(OpenAI(model="gpt-4o").chat([ChatMessage("Capital?")]))  # Beside the failed call.


asyncio.run(main())
agentops.end_session("Success")
