"""Two sessions at once in one program: each call says which of them it means.

    python examples/two_sessions.py

With OPENAI_API_KEY set the model is OpenAI's; without, it is a stand-in on this machine (model_standin.py).
"""

from __future__ import annotations

import os
from typing import Any

import openai

import agentops
from agentops import ActionEvent, MultiSessionException
from model_standin import StandIn


def main() -> None:
    """Start two sessions, record into each, and end them."""
    agentops.init(auto_start_session=False)
    session_1 = agentops.start_session(tags=["first"], name="Ask for a capital")
    session_2 = agentops.start_session(tags=["second"], name="Ask for a river")
    print("session 1 is", session_1.session_id)
    print("session 2 is", session_2.session_id)

    try:
        agentops.add_tags(["which one?"])
    except MultiSessionException as error:
        print("\nWith two sessions, agentops.add_tags(...) raises:", error, "\n")

    session_1.add_tags(["europe"])
    session_1.record(ActionEvent(action_type="choose", params={"of": ["France", "Peru"]}, returns="France"))

    client = openai.OpenAI()
    ask(session_1, client, "What is the capital of France?")
    ask(session_2, client, "Which river flows through Paris?")

    for session in (session_1, session_2):
        cost = session.end_session(end_state="Success")
        print(f"{session.name}: {cost} USD, {session.get_analytics()}")


def ask(session: agentops.Session, client: openai.OpenAI, question: str) -> None:
    """Ask the model, and assign the call to a session."""
    create: Any = session.patch(client.chat.completions.create)
    response = create(model="gpt-4o-mini", messages=[{"role": "user", "content": question}])
    print(f"{question} -> {response.choices[0].message.content}")


if __name__ == "__main__":
    if os.environ.get("OPENAI_API_KEY"):
        main()
    else:
        with StandIn() as model:
            os.environ["OPENAI_BASE_URL"] = model.url
            os.environ["OPENAI_API_KEY"] = "none"
            main()
