"""Calls of openai and anthropic through clients of older versions: plain, streamed, raw, failed."""

import asyncio

import anthropic
import openai

import agentops
from agentops.cli.libraries import library_findings

agentops.init(tags=["older"])
ask = [{"role": "user", "content": "Capital of France?"}]
chats = openai.OpenAI().chat.completions
print(chats.create(model="gpt-4o", messages=ask).choices[0].message.content)
usage = {"include_usage": True}
print(len(list(chats.create(model="gpt-4o", messages=ask, stream=True, stream_options=usage))))
print(chats.with_raw_response.create(model="gpt-4o", messages=ask).parse().id)
print(openai.OpenAI().responses.create(model="gpt-4o", input="Capital of France?").output_text)
messages = anthropic.Anthropic().messages
claude = {"model": "claude-sonnet-4-6", "max_tokens": 64, "messages": ask}
print(messages.create(**claude).content[0].text)
print(len(list(messages.create(**claude, stream=True))))
with messages.stream(**claude) as stream:
    print(stream.get_final_text())
print(messages.with_raw_response.create(**claude).parse().id)


async def later():
    async with anthropic.AsyncAnthropic() as client:
        raw = await client.messages.with_raw_response.create(**claude)
        print(raw.parse().id)


asyncio.run(later())
agentops.stop_instrumenting()
assert not hasattr(anthropic.resources.messages.Messages, "parse")
for finding in library_findings():  # As the doctor says.
    print(finding.text)
agentops.end_session("Success")
