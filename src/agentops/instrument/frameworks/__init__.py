"""What the instrumentors of libraries leave out: which call is open, who is an agent, which tool ran.

One file a library; each is given the library's instrumentor enabled, and may find that what it looks for is
not there: then only what it adds is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from opentelemetry import trace

from agentops.instrument import gemini, lite_llm
from agentops.instrument.frameworks import (
    agno,
    autogen,
    bedrock,
    crewai,
    dspy,
    groq,
    haystack,
    langchain,
    llama_index,
    mcp,
    mistral,
    openai_agents,
    smolagents,
)
from agentops.instrument.patches import Patches

COMPLETE: Final[Mapping[str, Callable[[trace.Tracer, Patches], None]]] = {
    "langchain_core": langchain.complete,
    "llama_index.core": llama_index.complete,
    "litellm": lite_llm.complete,
    "groq": groq.complete,
    "mistralai": mistral.complete,
    "agno": agno.complete,
    "google.genai": gemini.complete,
    "boto3": bedrock.complete,
    "agents": openai_agents.complete,
    "crewai": crewai.complete,
    "dspy": dspy.complete,
    "smolagents": smolagents.complete,
    "autogen_agentchat": autogen.complete,
    "haystack": haystack.complete,
    "mcp": mcp.complete,
}
"""What is added to the instrumentor of a library, by its module."""
