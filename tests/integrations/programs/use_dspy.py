"""A module of DSPy that predicts, and one that calls a tool."""

import dspy

import agentops

agentops.init(tags=["dspy"])
dspy.configure(lm=dspy.LM("openai/gpt-4o", cache=False))
print(dspy.Predict("question -> answer")(question="Capital of France?").answer)


def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


print(dspy.Tool(get_weather)(city="Paris"))
agentops.end_session("Success")
