"""Calls of litellm: plain, asynchronous, streamed, with a fallback; speech, messages, a ranking."""

import asyncio
import os

import litellm

import agentops

agentops.init(tags=["litellm"])
ask = [{"role": "user", "content": "Capital of France?"}]
print(litellm.completion(model="openai/gpt-4o", messages=ask).choices[0].message.content)


async def main():
    answer = await litellm.acompletion(
        model="anthropic/claude-sonnet-4-20250514", messages=ask, max_tokens=64
    )
    print(answer.choices[0].message.content)


asyncio.run(main())
for chunk in litellm.completion(model="openai/gpt-4o", messages=ask, stream=True):
    print(chunk.choices[0].delta.content)
claude = {"model": "anthropic/claude-sonnet-4-20250514", "messages": ask, "max_tokens": 64}
for chunk in litellm.completion(**claude, stream=True, stream_options={"include_usage": True}):
    print(chunk.choices[0].delta.content)
fallen = litellm.completion(model="openai/missing-model", messages=ask, fallbacks=["openai/gpt-4o"])
print(fallen.choices[0].message.content)
print(len(litellm.speech(model="openai/tts-1", voice="alloy", input="Paris is in France.").content))
message = asyncio.run(litellm.anthropic_messages(**claude))
print(message["content"])
place = {"api_key": "none", "api_base": f"{os.environ['MODELS_URL']}/v1/rerank"}
print(litellm.rerank(model="cohere/rerank-v3.5", query="Capital?", documents=["Paris"], **place).id)
here = {"api_key": "none", "api_base": f"{os.environ['MODELS_URL']}/v1"}
# A model that its maker would take money for; here it runs on a machine of one's own.
print(litellm.completion(model="hosted_vllm/mistral-nemo", messages=ask, **here).choices[0].message.content)
agentops.end_session("Success")
