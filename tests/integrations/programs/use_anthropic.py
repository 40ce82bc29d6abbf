"""Calls of anthropic: plain, streamed both ways, with tools, from the cache, thinking, in a batch."""

import anthropic
from anthropic import beta_tool

import agentops

agentops.init(tags=["anthropic"])
client = anthropic.Anthropic()
ask = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 2048,
    "messages": [{"role": "user", "content": "Capital of France?"}],
}
tool = {"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
print(client.messages.create(**ask, system="You are terse.").content[0].text)
for event in client.messages.create(**ask, stream=True):
    print(event.type)
with client.messages.stream(**ask) as stream:
    print(stream.get_final_text())
client.messages.create(**ask, tools=[tool])
client.messages.create(**{**ask, "messages": [{"role": "user", "content": "cached?"}]})
client.messages.create(**ask, thinking={"type": "enabled", "budget_tokens": 1024})
batch = client.messages.batches.create(requests=[{"custom_id": "first", "params": ask}])
for result in client.messages.batches.results(batch.id):
    print(result.custom_id)


@beta_tool
def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"21 degrees in {city}"


asked = {**ask, "messages": [{"role": "user", "content": "Weather in Paris?"}]}
print(client.beta.messages.tool_runner(**asked, tools=[get_weather]).until_done().stop_reason)
agentops.end_session("Success")
