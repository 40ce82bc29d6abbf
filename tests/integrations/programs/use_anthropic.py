"""Calls of anthropic: plain, streamed both ways, with a tool, from the cache, thinking, in a batch."""

import anthropic

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
agentops.end_session("Success")
