"""A chain of LangChain with a tool and a retriever, streamed, and left early; answers from its cache."""

import asyncio

from langchain_core.caches import InMemoryCache
from langchain_core.documents import Document
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

import agentops

agentops.init(tags=["langchain"])


class Atlas(BaseRetriever):
    def _get_relevant_documents(self, query, *, run_manager):
        return [Document("Paris is in France.", metadata={"page": 7})]


@tool
def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


model = ChatOpenAI(model="gpt-4o", stream_usage=False)
found = Atlas().invoke("Paris")
prompt = ChatPromptTemplate.from_messages([("system", "You are terse."), ("user", "{question}")])
called = (prompt | model.bind_tools([get_weather])).invoke({"question": "Weather in Paris?"})
print(get_weather.invoke(called.tool_calls[0]).content)
print("".join(chunk.content for chunk in model.stream("Capital of France?")))
for _, chunk in zip(range(4), model.stream("Capital of France?"), strict=False):
    print(chunk.content)  # Left early: no failure of the model's.


async def leave():
    n = 0
    async for chunk in model.astream("Capital of France?"):
        print(chunk.content)
        n += 1
        if n == 4:
            break  # The loop ends with it, and cancels what is left.


asyncio.run(leave())
cached = ChatOpenAI(model="gpt-4o", cache=InMemoryCache())
for _ in range(2):  # The second time nobody is asked, nor the third.
    print(cached.invoke("Capital of France?").content)
print(asyncio.run(cached.ainvoke("Capital of France?")).content)
agentops.end_session("Success")
