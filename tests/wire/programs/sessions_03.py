"""A program of a 0.3 user: one session with everything in it. Prints the session's id and what it cost.

Arguments: how to leave it (end, or go), and the stand-in's address.
"""

import sys

from openai import OpenAI

import agentops
from agentops import ActionEvent, ErrorEvent, LLMEvent, ToolEvent, track_agent

how, models = sys.argv[1:3]
inherited = sys.argv[3] if len(sys.argv) > 3 else None
recorded = getattr(agentops, "record_action", None) or agentops.record_function
started = agentops.init(tags=["support"], auto_start_session=False)
session = agentops.start_session(tags=["support"], inherited_session_id=inherited)
print("SESSION", session.session_id)


@track_agent(name="Researcher")
class Researcher:
    @recorded("look_up")
    def look_up(self, number):
        agentops.record(
            ToolEvent(
                name="find_order", params={"number": number}, returns={"state": "shipped"}, logs="one row"
            )
        )
        return "shipped"

    def ask(self, text):
        client = OpenAI(base_url=f"{models}/v1", max_retries=0)
        answer = client.chat.completions.create(
            model="gpt-4o-2024-08-06", messages=[{"role": "user", "content": text}]
        )
        return answer.choices[0].message.content


researcher = Researcher()
researcher.look_up("1042")
print("ANSWER", researcher.ask("What is the capital of France?"))
agentops.record(
    ActionEvent(
        action_type="send_mail",
        params={"to": "somebody"},
        returns="sent",
        logs="250 OK",
        screenshot="shot.png",
    )
)
agentops.record(
    LLMEvent(
        prompt=[{"role": "user", "content": "Hello"}],
        completion={"role": "assistant", "content": "Hi"},
        prompt_tokens=1000,
        completion_tokens=500,
        model="gpt-4o",
    )
)
event = LLMEvent(prompt="plain words", completion="an answer", model="a-model-of-mine")
agentops.record(event)
try:
    raise ValueError("no such order")
except ValueError as error:
    agentops.record(ErrorEvent(exception=error, code="404", details="no such order"))
session.add_tags(["urgent"])
if how == "end":
    print("COST", session.end_session("Success", "answered"))
elif how == "fail":
    session.end_session("Fail", "gave up")
