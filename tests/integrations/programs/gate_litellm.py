"""With two sessions, calls of litellm that belong to neither: refused, however they are made."""

import asyncio
from importlib import import_module

from litellm import acompletion, completion  # By name, before init: these are litellm's own for good.

import agentops

agentops.init()
other = agentops.start_session()
litellm = import_module("litellm")
ask = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Capital of France?"}]}
claude = {**ask, "model": "anthropic/claude-sonnet-4-6"}


def refused(call):
    try:
        call()
    except agentops.MultiSessionException:
        print("refused")
    else:
        print("NOT refused")


refused(lambda: litellm.completion(**ask))
refused(lambda: litellm.completion(**claude, stream=True))
refused(lambda: asyncio.run(litellm.acompletion(**claude)))
refused(lambda: asyncio.run(litellm.acompletion(**ask, stream=True)))
refused(lambda: litellm.embedding(model="openai/text-embedding-3-small", input=["Paris"]))
refused(lambda: completion(**claude))
refused(lambda: asyncio.run(acompletion(**claude)))
print("asking")
with other:
    print(litellm.completion(**claude).choices[0].message.content)
print(other.patch(litellm.completion)(**ask).choices[0].message.content)
