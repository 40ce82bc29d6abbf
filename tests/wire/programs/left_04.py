"""A program of a 0.4 user that leaves the trace of `init()` open. Its client says "Shutdown" of it."""

import agentops
from agentops.sdk.decorators import tool

agentops.init(default_tags=["left"])


@tool
def find_order(number):
    return number


find_order("1042")
agentops.update_trace_metadata({"tags": ["left", "noted"]})
