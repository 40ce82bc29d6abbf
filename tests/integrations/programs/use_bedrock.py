"""Calls of Bedrock through boto3: converse, and a model invoked, streamed, left, and with what is no JSON."""

import json
import os

import boto3
from botocore.exceptions import ClientError

import agentops

agentops.init(tags=["bedrock"])
client = boto3.client(
    "bedrock-runtime", region_name="eu-west-1", endpoint_url=os.environ["MODELS_URL"],
    aws_access_key_id="none", aws_secret_access_key="none",
)  # fmt: skip
model = "anthropic.claude-sonnet-4-20250514-v1:0"
ask = [{"role": "user", "content": [{"text": "Capital of France?"}]}]
answer = client.converse(modelId=model, system=[{"text": "You are terse."}], messages=ask)
print(answer["output"]["message"]["content"][0]["text"])
body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 64,
        "messages": [{"role": "user", "content": "Capital of France?"}]}  # fmt: skip
print(json.loads(client.invoke_model(modelId=model, body=json.dumps(body))["body"].read())["content"])
for event in client.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))["body"]:
    print(event)
for event in client.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))["body"]:
    print(event)
    break
for event in client.converse_stream(modelId=model, messages=ask)["stream"]:
    print(event)
asked = json.dumps({"inputText": "Paris"})
print(client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=asked)["body"].read())
asked = json.dumps({"prompt": "Capital of France?", "max_gen_len": 64})
llama = {"modelId": "meta.llama3-70b-instruct-v1:0", "body": asked}
for event in client.invoke_model_with_response_stream(**llama)["body"]:
    print(event)
try:
    client.invoke_model(modelId=model, body="Capital of France?")
except ClientError as error:
    print(error)
agentops.end_session("Success")
