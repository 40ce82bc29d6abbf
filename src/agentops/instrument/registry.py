"""Which library is recorded by which instrumentor: one each.

Several packages offer instrumentors for the same library, some under the same entry-point name, and two at
once would record every call twice. So the classes are named here instead of being searched for. All are
OpenInference's: the same dialect everywhere, and it says what went in and out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_PACKAGE: Final = "openinference.instrumentation."


@dataclass(frozen=True, slots=True)
class Library:
    """A library that makes LLM calls.

    Args:
        module: its import name; being imported is what enables the instrumentor.
        instrumentor: module and class, as `package.module:Class`.
        extra: the extra of this package that installs the instrumentor; empty when the base install has it.
        requests: where its clients send requests, for the gate: `module:Class`, each with a method `request`.
        calls: parts of the path of a request that is an LLM call.
        repeats: scopes of tracing that the library does by itself, which would record each call again.
    """

    module: str
    instrumentor: str
    extra: str = ""
    requests: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    not_calls: tuple[str, ...] = ()
    repeats: tuple[str, ...] = field(default=())


LIBRARIES: Final[tuple[Library, ...]] = (
    Library(
        "openai",
        _PACKAGE + "openai:OpenAIInstrumentor",
        requests=("openai:OpenAI", "openai:AsyncOpenAI"),
        calls=("/chat/completions", "/responses", "/completions", "/embeddings", "/images/", "/audio/"),
    ),
    Library(
        "anthropic",
        _PACKAGE + "anthropic:AnthropicInstrumentor",
        requests=("anthropic._base_client:SyncAPIClient", "anthropic._base_client:AsyncAPIClient"),
        calls=("/v1/messages", "/v1/complete"),
        not_calls=("count_tokens", "/batches"),
        # The client traces itself; OpenInference's record has the messages too.
        repeats=("com.anthropic.sdk.python",),
    ),
    Library("langchain_core", _PACKAGE + "langchain:LangChainInstrumentor", "langchain"),
    Library("llama_index.core", _PACKAGE + "llama_index:LlamaIndexInstrumentor", "llama-index"),
    Library("litellm", _PACKAGE + "litellm:LiteLLMInstrumentor", "litellm"),
    Library("google.genai", _PACKAGE + "google_genai:GoogleGenAIInstrumentor", "google-genai"),
    Library("google.adk", _PACKAGE + "google_adk:GoogleADKInstrumentor", "google-adk"),
    Library("vertexai", _PACKAGE + "vertexai:VertexAIInstrumentor", "vertexai"),
    Library("boto3", _PACKAGE + "bedrock:BedrockInstrumentor", "bedrock"),
    Library("mistralai", _PACKAGE + "mistralai:MistralAIInstrumentor", "mistralai"),
    Library("groq", _PACKAGE + "groq:GroqInstrumentor", "groq"),
    Library("agents", _PACKAGE + "openai_agents:OpenAIAgentsInstrumentor", "openai-agents"),
    Library("crewai", _PACKAGE + "crewai:CrewAIInstrumentor", "crewai"),
    Library("dspy", _PACKAGE + "dspy:DSPyInstrumentor", "dspy"),
    Library("haystack", _PACKAGE + "haystack:HaystackInstrumentor", "haystack"),
    Library("smolagents", _PACKAGE + "smolagents:SmolagentsInstrumentor", "smolagents"),
    Library("agno", _PACKAGE + "agno:AgnoInstrumentor", "agno"),
    Library("autogen_agentchat", _PACKAGE + "autogen_agentchat:AutogenAgentChatInstrumentor", "autogen"),
    Library("guardrails", _PACKAGE + "guardrails:GuardrailsInstrumentor", "guardrails"),
    Library("mcp", _PACKAGE + "mcp:MCPInstrumentor", "mcp"),
)

BY_MODULE: Final[Mapping[str, Library]] = {library.module: library for library in LIBRARIES}
