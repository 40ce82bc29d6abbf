"""Calls of google-genai: plain, streamed, left, never read, calling functions; embeddings, a live session."""

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
print(len(client.models.embed_content(model="gemini-embedding-001", contents=["Paris"]).embeddings))
vertex = genai.Client(api_key="none", vertexai=True, http_options=options)
painter = {"model": "imagen-4.0-generate-001", "prompt": "A cat", "config": {"number_of_images": 1}}
print(len(vertex.models.generate_images(**painter).generated_images))
print(len(asyncio.run(vertex.aio.models.generate_images(**painter)).generated_images))
print(vertex.models.generate_videos(model="veo-3.0-generate-001", prompt="A cat that runs").name)

plain = os.environ["MODELS_URL"].replace("http", "ws", 1)
client._api_client._websocket_base_url = lambda *_: plain  # It knows no web socket but over TLS.
client._api_client._websocket_ssl_ctx = {}


async def talk():
    async with client.aio.live.connect(model="gemini-live-2.5-flash", config={"tools": []}) as session:
        await session.send_client_content(turns={"role": "user", "parts": [{"text": "Weather in Paris?"}]})
        async for message in session.receive():
            if message.tool_call:
                answer = {"id": "call_1", "name": "get_weather", "response": {"output": get_weather("Paris")}}
                await session.send_tool_response(function_responses=answer)
            print(message.text)
        await session.send_realtime_input(text="Weather?")  # Left while it is answered.


asyncio.run(talk())
agentops.end_session("Success")
