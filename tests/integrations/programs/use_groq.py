"""Calls of groq: plain, with a tool, streamed, failed, and taken as HTTP responses; sound, embeddings."""

import os

import groq

import agentops

agentops.init(tags=["groq"])
client = groq.Groq(api_key="none", base_url=os.environ["MODELS_URL"])
ask = [{"role": "user", "content": "Capital of France?"}]
tool = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}},
}
print(client.chat.completions.create(model="openai/gpt-oss-20b", messages=ask).choices[0].message.content)
client.chat.completions.create(model="openai/gpt-oss-20b", messages=ask, tools=[tool])
for chunk in client.chat.completions.create(model="openai/gpt-oss-20b", messages=ask, stream=True):
    print(chunk.choices)
try:
    client.chat.completions.create(model="missing-model", messages=ask)
except groq.NotFoundError as error:
    print(error)
raw = client.chat.completions.with_raw_response
print(raw.create(model="openai/gpt-oss-20b", messages=ask).parse().choices[0].message.content)
print(len(list(raw.create(model="openai/gpt-oss-20b", messages=ask, stream=True).parse())))
later = client.chat.completions.with_streaming_response
with later.create(model="openai/gpt-oss-20b", messages=ask) as response:
    print(response.parse().choices[0].message.content)
sound = ("question.wav", b"RIFF")
print(client.audio.transcriptions.create(model="whisper-large-v3", file=sound).text)
print(len(client.embeddings.create(model="nomic-embed-text-v1_5", input="Paris").data))
try:
    client.audio.translations.create(model="missing-model", file=sound)
except groq.NotFoundError as error:
    print(error)
agentops.end_session("Success")
