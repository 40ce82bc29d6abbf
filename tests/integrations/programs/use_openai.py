"""Calls of openai: chat, responses, embeddings, streamed, with a tool, moderated, failed."""

import openai

import agentops

agentops.init(tags=["openai"])
client = openai.OpenAI()
ask = [{"role": "system", "content": "You are terse."}, {"role": "user", "content": "Capital of France?"}]
tool = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}},
}
print(
    client.chat.completions.create(model="gpt-4o", messages=ask, temperature=0.2).choices[0].message.content
)
client.chat.completions.create(model="gpt-4o", messages=ask, tools=[tool])
with client.chat.completions.stream(model="gpt-4o", messages=ask) as stream:
    print(stream.get_final_completion().choices[0].message.content)
usage = {"include_usage": True}
for chunk in client.chat.completions.create(model="gpt-4o", messages=ask, stream=True, stream_options=usage):
    print(chunk.choices)
print(
    client.responses.create(
        model="gpt-4o", instructions="You are terse.", input="Capital of France?"
    ).output_text
)
print(client.embeddings.create(model="text-embedding-3-small", input="Paris").data[0].embedding)
print(client.moderations.create(input="Paris").model)
try:
    client.chat.completions.create(model="missing-model", messages=ask)
except openai.NotFoundError as error:
    print(error)
agentops.end_session("Success")
