"""Calls of mistralai, imported after `init`: plain, with a tool, streamed, failed; what is no chat."""

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
    try:
        client.chat.complete(model="missing-model", messages=ask)
    except SDKError as error:
        print(error)
agentops.end_session("Success")
