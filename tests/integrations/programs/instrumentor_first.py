"""The instrumentor's own modules are what is imported first, after `init`: with them comes the library."""

import agentops

session = agentops.init(tags=["llama-index"])

from openinference.instrumentation.llama_index import _handler  # noqa: E402 -- this order is the point

kept = _handler._SpanHandler
from llama_index.core.instrumentation import get_dispatcher  # noqa: E402 -- as above
from llama_index.core.llms import MockLLM  # noqa: E402 -- as above

print(MockLLM(max_tokens=3).complete("Capital of France?"))
print(any(type(each) is kept for each in get_dispatcher().span_handlers))
print(session.event_counts["llms"])
agentops.end_session("Success")
