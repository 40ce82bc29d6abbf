"""A small support desk: a planner, an executor with tools, and a writer answer a customer over several turns.

    python examples/support_agent.py

It shows the three ways to record a session. Each is a program of its own, as it would be in real life, and
can be run alone by its name: `automatic`, `manual` or `decorated`. With OPENAI_API_KEY set the model is
OpenAI's; without, it is a stand-in on this machine (model_standin.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from typing import Any

import openai
from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam

import agentops
from agentops.sdk.decorators import agent, operation, session, tool
from model_standin import StandIn

# ----- The shop and the tools that reach it -------------------------------------------------------

ORDERS: dict[str, dict[str, Any]] = {
    "1042": {"customer": "mara@example.com", "items": {"frame": 189.0, "lamp": 39.0}, "parcel": "NB-88231"},
    "2077": {"customer": "finn@example.com", "items": {"saddle": 74.0}, "parcel": "NB-90417"},
}
POLICY = {
    "damaged goods": "Damaged goods are paid back in full within 30 days; the customer need not return them.",
    "delivery abroad": "We deliver in all of Europe, Iceland included, in six working days for 24.00 EUR.",
    "customs": "Iceland and Norway ask for customs only above 400 EUR; the carrier collects them.",
}


class PaymentRefused(Exception):
    """The bank did not accept a payment."""


@tool
def find_order(order_id: str) -> dict[str, Any]:
    """Find an order by its number."""
    return ORDERS[order_id]


@tool
def search_policy(words: str) -> str:
    """Search the shop's rules."""
    return POLICY.get(words, "No rule found.")


@tool(cost=0.002)  # What the carrier charges for each question.
def track_parcel(parcel_id: str) -> dict[str, str]:
    """Ask the carrier where a parcel is."""
    return {"parcel": parcel_id, "state": "on its way", "delivery": "Thursday"}


@tool
def refund(order_id: str, amount: float, to: str) -> dict[str, Any]:
    """Pay money back, to the customer's `card` or as `credit`."""
    if to == "card":
        raise PaymentRefused(
            f"The card of order {order_id} has expired. Pay the {amount:.2f} EUR as credit instead."
        )
    return {"order": order_id, "paid": amount, "as": to}


@tool
def change_address(order_id: str, address: str) -> dict[str, str]:
    """Send an order somewhere else, as long as it has not left."""
    return {"order": order_id, "address": address}


@tool
def send_mail(to: str, subject: str, text: str) -> str:
    """Send a mail to the customer."""
    return f"Sent {len(text)} characters about {subject!r} to {to}."


TOOLS: dict[str, Callable[..., Any]] = {
    "find_order": find_order,
    "search_policy": search_policy,
    "track_parcel": track_parcel,
    "refund": refund,
    "change_address": change_address,
    "send_mail": send_mail,
}


def described(name: str, **parameters: str) -> ChatCompletionFunctionToolParam:
    """Describe a tool to the model: its docstring, and the type of each parameter."""
    schema: dict[str, object] = {
        "type": "object",
        "properties": {parameter: {"type": kind} for parameter, kind in parameters.items()},
        "required": list(parameters),
    }
    return {
        "type": "function",
        "function": {"name": name, "description": TOOLS[name].__doc__ or "", "parameters": schema},
    }


DESCRIBED = [
    described("find_order", order_id="string"),
    described("search_policy", words="string"),
    described("track_parcel", parcel_id="string"),
    described("refund", order_id="string", amount="number", to="string"),
    described("change_address", order_id="string", address="string"),
    described("send_mail", to="string", subject="string", text="string"),
]


# ----- The agents ---------------------------------------------------------------------------------


class SupportDesk:
    """One conversation with one customer."""

    def __init__(self, client: openai.OpenAI) -> None:
        self.client = client
        self.conversation: list[ChatCompletionMessageParam] = []

    @operation(name="turn")
    def reply(self, question: str) -> str:
        """Answer one message of the customer."""
        self.conversation.append({"role": "user", "content": question})
        steps = self.plan()
        work = self.execute(steps)
        answer = self.write(work)
        self.conversation.append({"role": "assistant", "content": answer})
        return answer

    @agent(name="planner")
    def plan(self) -> list[str]:
        """Cut the question into steps."""
        system = (
            'You plan the work of a bicycle shop\'s support. Answer with JSON: {"steps": ["...", "..."]}.'
        )
        completion = self.client.chat.completions.create(
            model="gpt-4.1-mini",
            messages=[{"role": "system", "content": system}, *self.conversation],
            response_format={"type": "json_object"},
        )
        return json.loads(completion.choices[0].message.content or "{}")["steps"]

    @agent(name="executor")
    def execute(self, steps: Sequence[str]) -> list[ChatCompletionMessageParam]:
        """Let the model call tools until the steps are done, and return what was said and found."""
        system = f"You do the work of a bicycle shop's support with tools. The plan: {json.dumps(steps)}"
        work: list[ChatCompletionMessageParam] = []
        for _ in range(8):
            completion = self.client.chat.completions.create(
                model="gpt-4.1",
                messages=[{"role": "system", "content": system}, *self.conversation, *work],
                tools=DESCRIBED,
            )
            message = completion.choices[0].message
            work.append(message.model_dump(exclude_none=True))  # type: ignore[arg-type]  -- as openai's guide does it
            if not message.tool_calls:
                break
            for call in message.tool_calls:
                if call.type == "function":
                    result = use(call.function.name, call.function.arguments)
                    work.append({"role": "tool", "tool_call_id": call.id, "content": result})
        return work

    @agent(name="writer")
    def write(self, work: Sequence[ChatCompletionMessageParam]) -> str:
        """Write the answer, as a stream."""
        system = (
            "You write short, friendly answers to customers of a bicycle shop, from what the tools found."
        )
        stream = self.client.chat.completions.create(
            model="gpt-4.1-mini",
            messages=[{"role": "system", "content": system}, *self.conversation, *work],
            stream=True,
            stream_options={"include_usage": True},
        )
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def use(name: str, arguments: str) -> str:
    """Call a tool for the model. An error is something the model can work with, so it is told about it."""
    try:
        result = TOOLS[name](**json.loads(arguments))
    except Exception as error:
        return f"Error: {error}"
    return result if isinstance(result, str) else json.dumps(result)


def talk(desk: SupportDesk, *questions: str) -> None:
    """Put questions to the desk and show the conversation."""
    for question in questions:
        print(f"  customer  {question}")
        print(f"  desk      {desk.reply(question)}")


@contextlib.contextmanager
def model() -> Generator[openai.OpenAI]:
    """Yield a client of OpenAI, or of the stand-in when there is no key."""
    if os.environ.get("OPENAI_API_KEY"):
        yield openai.OpenAI()
        return
    with StandIn() as stand_in:
        # The stand-in is on this machine: no proxy of the environment leads there.
        direct = openai.DefaultHttpxClient(trust_env=False)
        yield openai.OpenAI(base_url=stand_in.url, api_key="none needed", http_client=direct)


# ----- The three ways to record a session ---------------------------------------------------------


def automatic() -> None:
    """init() starts a session; whatever the program does belongs to it."""
    agentops.init(tags=["support", "refund"], trace_name="Refund for order 1042")
    with model() as client:
        talk(
            SupportDesk(client),
            "Hello, order 1042 came with a cracked frame. I would like my money back.",
            "Credit is fine. When does the rest of it arrive?",
            "Thank you. Please send me all that in writing.",
        )
    agentops.end_session("Success", "The customer was answered")


def manual() -> None:
    """The program decides when a session begins and ends, and what it is called."""
    agentops.init(auto_start_session=False)
    with model() as client:
        desk = SupportDesk(client)
        current = agentops.start_session(tags=["support", "customer-query"], name="Move order 2077")
        talk(
            desk,
            "Please send order 2077 to my new address: 12 Harbour Street, Cork.",
            "Will it be there before Friday?",
        )
        current.add_tags(["delivery"])
        cost = current.end_session("Success")
        print(f"  cost      {cost:.6f} USD")


@session(name="Question about delivery", tags=["support", "question"])
def answer_question(question: str) -> None:
    """Answer one question. Each call of this function is a session of its own."""
    with model() as client:
        talk(SupportDesk(client), question)


def decorated() -> None:
    """A decorated function is a session each time it is called, however many run at once."""
    agentops.init(auto_start_session=False)
    answer_question("Do you deliver to Iceland, and what do customs ask for?")


WAYS = {"automatic": automatic, "manual": manual, "decorated": decorated}


def main() -> int:
    """Run the way that was named, or all of them, each as a program of its own."""
    if len(sys.argv) > 1:
        WAYS[sys.argv[1]]()
        return 0
    for name, way in WAYS.items():
        print(f"{name}: {way.__doc__}", flush=True)
        code = subprocess.run([sys.executable, __file__, name], check=False).returncode
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
