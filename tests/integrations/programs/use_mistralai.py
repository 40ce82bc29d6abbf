"""Calls of mistralai, imported after `init`: plain, with a tool, streamed, left, failed; what is no chat."""

import os

import agentops

agentops.init(tags=["mistralai"])

from mistralai.client import Mistral  # noqa: E402
from mistralai.client.errors import SDKError  # noqa: E402

ask = [{"role": "user", "content": "Capital of France?"}]
tool = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}},
}
with Mistral(api_key="none", server_url=os.environ["MODELS_URL"]) as client:
    print(client.chat.complete(model="mistral-large-latest", messages=ask).choices[0].message.content)
    client.chat.complete(model="mistral-large-latest", messages=ask, tools=[tool])
    for event in client.chat.stream(model="mistral-large-latest", messages=ask):
        print(event.data.choices)
    print(len(client.embeddings.create(model="mistral-embed", inputs=["Paris"]).data))
    print(client.fim.complete(model="codestral-latest", prompt="def capital():").choices[0].message.content)
    for event in client.chat.stream(model="mistral-large-latest", messages=ask):
        print(event.data.choices)
        break
    for event in client.fim.stream(model="codestral-latest", prompt="def capital():"):
        print(event.data.choices)
    print(client.beta.conversations.start(model="mistral-large-latest", inputs="Weather in Paris?").outputs)
    with client.beta.conversations.start_stream(model="mistral-large-latest", inputs="Capital?") as events:
        print([event.event for event in events])
    print(list(client.audio.transcriptions.stream(model="voxtral-mini-latest", file_url="http://x/a.mp3")))
    thinker = {"model": "magistral-medium-latest", "messages": ask}
    print(client.chat.complete(**thinker).choices[0].message.content)
    print([event.data.choices for event in client.chat.stream(**thinker)])
    try:
        client.chat.complete(model="missing-model", messages=ask)
    except SDKError as error:
        print(error)
agentops.end_session("Success")
