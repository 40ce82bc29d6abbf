"""A module of DSPy that predicts, and one that calls a tool; an answer from its cache; threads of its own."""

import dspy

import agentops
from agentops.sdk.decorators import agent

agentops.init(tags=["dspy"])
dspy.configure(lm=dspy.LM("openai/gpt-4o", cache=False))
print(dspy.Predict("question -> answer")(question="Capital of France?").answer)


def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"21 degrees in {city}"


print(dspy.Tool(get_weather)(city="Paris"))


@agent
def twice(question):
    with dspy.context(lm=dspy.LM("openai/gpt-4o")):
        capital = dspy.Predict("question -> answer")
        capital(question=question)  # The second time nobody is asked.
        return dspy.Parallel(num_threads=2, disable_progress_bar=True)([(capital, {"question": question})])


print(twice("Capital of Spain?"))
agentops.end_session("Success")
