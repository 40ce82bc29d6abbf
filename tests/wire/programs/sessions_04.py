"""A program of a 0.4 user: decorators, a tool's cost, model calls, printed lines, every end of a trace.

Arguments: the stand-in's address. Prints the traces' ids.
"""

import sys
import time

from openai import OpenAI

import agentops
from agentops.sdk.decorators import agent, operation, task, tool, trace, workflow

models = sys.argv[1]
agentops.init(auto_start_session=False)
# This client fetches its token beside the program, and drops what is refused before it came.
deadline = time.monotonic() + 20
while agentops.get_client().get_current_jwt() is None and time.monotonic() < deadline:
    time.sleep(0.01)


@tool(cost=0.05)
def find_order(number):
    return {"number": number, "state": "shipped"}


@task
def prepare(text):
    return text.upper()


@workflow
def answer(text):
    prepare(text)
    client = OpenAI(base_url=f"{models}/v1", max_retries=0)
    answered = client.chat.completions.create(
        model="gpt-4o-2024-08-06", messages=[{"role": "user", "content": text}]
    )
    return answered.choices[0].message.content


@agent
class Researcher:
    @operation
    def work(self, text):
        find_order("1042")
        return answer(text)


def trace_id(context):
    return format(context.span.get_span_context().trace_id, "032x")


ended = agentops.start_trace("support call", tags=["support", "urgent"])
print("the first line")
print("ENDED", trace_id(ended))
print("ANSWER", Researcher().work("What is the capital of France?"))
agentops.end_trace(ended, "Success")

failed = agentops.start_trace("failing call")
print("FAILED", trace_id(failed))
agentops.end_trace(failed, "Error")

silent = agentops.start_trace("no state said")
print("SILENT", trace_id(silent))
agentops.end_trace(silent)


@trace(name="decorated", tags=["decorated"])
def decorated():
    return Researcher().work("again")


decorated()
agentops.update_trace_metadata({"note": "x"}) if hasattr(agentops, "update_trace_metadata") else None
