"""A program with one session of known content, recorded by the real SDK; told what to do through its input.

Each line of input is one step: `work` (an agent, a model call, a paid tool, a failing tool), `tick NAME` (one
event, answered with the time at which it was recorded), `end`. What it did is answered with a line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

import openai
from examples.model_standin import Answer, StandIn

import agentops
from agentops.sdk.decorators import agent, operation, tool


class KnownAnswer(Answer):
    """An answer whose price can be checked by hand."""

    def usage(self) -> dict[str, Any]:
        return {
            "prompt_tokens": 1200,
            "completion_tokens": 300,
            "total_tokens": 1500,
            "prompt_tokens_details": {"cached_tokens": 400},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }


class KnownModel(StandIn):
    def answer(self, request: Mapping[str, Any]) -> Answer:
        return KnownAnswer("gpt-4.1-mini-2025-04-14", "It left Utrecht this morning.", (), 1200, 400)


@tool(cost=0.002)
def track_parcel(parcel: str) -> dict[str, str]:
    return {"parcel": parcel, "state": "on its way"}


@tool
def charge_card(amount: float) -> None:
    raise ValueError(f"The card has expired: {amount:.2f} EUR refused")


@agent(name="courier")
def work(client: openai.OpenAI) -> None:
    track_parcel("NB-88231")
    try:
        charge_card(12.5)
    except ValueError:
        pass
    client.chat.completions.create(
        model="gpt-4.1-mini",
        messages=[
            {"role": "system", "content": "You answer for a bicycle shop."},
            {"role": "user", "content": "Where is <b>my</b> parcel?"},
        ],
    )


def tick(name: str) -> int:
    @operation(name=name)
    def note() -> None:
        return None

    note()
    return time.time_ns()


def main() -> None:
    session = agentops.init(tags=["browser", "parcels"], trace_name="Where is my parcel")
    assert session is not None
    with KnownModel(first_token_s=0.05) as model:
        client = openai.OpenAI(base_url=model.url, api_key="none")
        answer(session_id=str(session.session_id))
        for line in sys.stdin:
            step, _, rest = line.strip().partition(" ")
            if step == "work":
                work(client)
                answer(done=step)
            elif step == "tick":
                answer(recorded_at_ns=tick(rest))
            elif step == "end":
                agentops.end_session("Success")
                answer(done=step)


def answer(**values: Any) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main()
