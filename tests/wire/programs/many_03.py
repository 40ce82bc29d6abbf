"""A program of a 0.3 user with two sessions at once: each gets what was recorded with it."""

import agentops
from agentops import ActionEvent

agentops.init(auto_start_session=False)
first = agentops.start_session(tags=["first"])
second = agentops.start_session(tags=["second"])
for number in range(20):
    first.record(ActionEvent(action_type=f"first {number}", params={"n": number}))
    second.record(ActionEvent(action_type=f"second {number}", params={"n": number}))
first.end_session("Success")
second.record(ActionEvent(action_type="second, after the first ended"))
second.end_session("Fail", "the second one")
print("SESSIONS", first.session_id, second.session_id)
