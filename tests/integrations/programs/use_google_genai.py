"""Calls of google-genai: plain, streamed, left, never read, with a function that the client calls."""

import asyncio
import os

from google import genai
from google.genai import types

import agentops

agentops.init(tags=["google-genai"])
options = types.HttpOptions(base_url=os.environ["MODELS_URL"])
client = genai.Client(api_key="none", vertexai=False, http_options=options)
terse = types.GenerateContentConfig(system_instruction="You are terse.", temperature=0.2)
answer = client.models.generate_content(model="gemini-2.5-flash", contents="Capital of France?", config=terse)
print(answer.text)
for chunk in client.models.generate_content_stream(model="gemini-2.5-flash", contents="Capital of France?"):
    print(chunk.text)


def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


able = types.GenerateContentConfig(tools=[get_weather])
print(client.models.generate_content(model="gemini-2.5-flash", contents="Weather?", config=able).text)
for chunk in client.models.generate_content_stream(
    model="gemini-2.5-flash", contents="Weather?", config=able
):
    print(chunk.text)


async def leave():
    stream = await client.aio.models.generate_content_stream(model="gemini-2.5-flash", contents="Weather?")
    async for chunk in stream:
        print(chunk.text)
        break


asyncio.run(leave())
client.models.generate_content_stream(model="gemini-2.5-flash", contents="Never read.")
print(next(client.models.generate_content_stream(model="gemini-2.5-flash", contents="Taken by next.")).text)
agentops.end_session("Success")
