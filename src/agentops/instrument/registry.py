"""Which library is recorded by which instrumentor: one each.

Several packages offer instrumentors for the same library, some under the same entry-point name, and two at
once would record every call twice. So the classes are named here, best first, instead of being searched for:
OpenInference's (one dialect everywhere, and it says what went in and out), then OpenTelemetry's own, then
OpenLLMetry's. The first that is installed and takes the library's version is used.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

_OPENINFERENCE: Final = "openinference.instrumentation."
_OTEL: Final = "opentelemetry.instrumentation."


@dataclass(frozen=True, slots=True)
class Library:
    """A library that makes LLM calls, or runs agents that do.

    Args:
        module: its import name; being imported is what enables the instrumentor.
        distribution: the package that brings it: another one may have a module of the same name.
        instrumentors: module and class of each that can record it, as `package.module:Class`, best first.
        extra: the extra of this package that installs the first; empty when the base install has it.
        client: the module of its HTTP client, when that is one of the generated clients of openai's kind,
            whose requests can be held back and looked at.
        functions: functions through which it is called, as `module:name`, that can be held back.
        connections: methods, as `module:Class.method`, that open a connection on which LLM calls are made.
        calls: parts of the path of a request that is an LLM call.
        not_calls: parts of the path of one that is not, although one of `calls` fits.
        streams: methods, as `module:Class.method`, whose streams the instrumentor does not follow.
        recorded: modules whose callables the instrumentor records.
        repeats: scopes of tracing that the library does by itself, which would record each call again.
        begins: a module within it whose import enables the instrumentor as well: that of a namespace package,
            as its own may be, is not announced to anybody.
        older: versions, from the one up to the other, before those that the first instrumentor names, with
            which it works.
        aside: it is in many programs that make no LLM call with it, so that its hint is no warning.
    """

    module: str
    distribution: str
    instrumentors: tuple[str, ...]
    extra: str = ""
    client: str = ""
    functions: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    not_calls: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    repeats: tuple[str, ...] = ()
    begins: str = ""
    older: tuple[str, ...] = ()
    aside: bool = False

    @property
    def instrumentor(self) -> str:
        """The instrumentor that records it here: the best one that is installed, else the best."""
        return next(iter(self.candidates()), self.instrumentors[0])

    def candidates(self) -> list[str]:
        """Return the instrumentors that are installed, best first."""
        return [each for each in self.instrumentors if exists(each.partition(":")[0])]

    def others(self, candidate: str) -> tuple[str, ...]:
        """Return how the scopes of its other instrumentors begin, which the program may enable itself."""
        return tuple(f"{each.partition(':')[0]}." for each in self.instrumentors if each != candidate)

    def installed(self) -> str:
        """Return the version that is installed; empty when the library is not."""
        try:
            return version(self.distribution)
        except PackageNotFoundError:
            return ""


LIBRARIES: Final[tuple[Library, ...]] = (
    Library(
        "openai",
        "openai",
        (
            _OPENINFERENCE + "openai:OpenAIInstrumentor",
            _OTEL + "genai.openai:OpenAIInstrumentor",
            _OTEL + "openai_v2:OpenAIInstrumentor",
            _OTEL + "openai:OpenAIInstrumentor",
        ),
        client="openai._base_client",
        connections=tuple(
            f"openai.resources.{place}.connect"
            for place in (
                "realtime.realtime:Realtime",
                "realtime.realtime:AsyncRealtime",
                "beta.realtime.realtime:Realtime",
                "beta.realtime.realtime:AsyncRealtime",
                "responses.responses:Responses",
                "responses.responses:AsyncResponses",
                "beta.responses.responses:Responses",
                "beta.responses.responses:AsyncResponses",
            )
        ),
        calls=(
            "/chat/completions",
            "/responses",
            "/completions",
            "/embeddings",
            "/images/",
            "/audio/",
            "/moderations",
            "/videos",
            "/decisions",
            "/runs",
        ),
        not_calls=("/input_tokens", "/cancel"),
        recorded=("openai.resources.", "openai.lib."),
        older=("1.66", "2.8"),
    ),
    Library(
        "anthropic",
        "anthropic",
        (
            _OPENINFERENCE + "anthropic:AnthropicInstrumentor",
            _OTEL + "genai.anthropic:AnthropicInstrumentor",
            _OTEL + "anthropic:AnthropicInstrumentor",
        ),
        client="anthropic._base_client",
        calls=("/v1/messages", "/v1/complete"),
        not_calls=("count_tokens", "/results", "/cancel"),
        recorded=("anthropic.resources.", "anthropic.lib."),
        older=("0.40", "1.8"),
        # The client traces itself; the instrumentor's record has the messages too.
        repeats=("com.anthropic.sdk.python",),
    ),
    Library(
        "litellm",
        "litellm",
        (_OPENINFERENCE + "litellm:LiteLLMInstrumentor",),
        "litellm",
        functions=tuple(
            f"litellm:{name}"
            for name in (
                "completion",
                "acompletion",
                "text_completion",
                "atext_completion",
                "embedding",
                "aembedding",
                "responses",
                "aresponses",
                "image_generation",
                "aimage_generation",
                "transcription",
                "atranscription",
                "speech",
                "aspeech",
                "rerank",
                "arerank",
                "moderation",
                "amoderation",
                "anthropic_messages",
            )
        ),
        recorded=("litellm",),
    ),
    Library(
        "langchain_core",
        "langchain-core",
        (_OPENINFERENCE + "langchain:LangChainInstrumentor", _OTEL + "langchain:LangchainInstrumentor"),
        "langchain",
    ),
    Library(
        "llama_index.core",
        "llama-index-core",
        (_OPENINFERENCE + "llama_index:LlamaIndexInstrumentor", _OTEL + "llamaindex:LlamaIndexInstrumentor"),
        "llama-index",
    ),
    Library(
        "google.genai",
        "google-genai",
        (
            _OPENINFERENCE + "google_genai:GoogleGenAIInstrumentor",
            _OTEL + "google_genai:GoogleGenAiSdkInstrumentor",
        ),
        "google-genai",
    ),
    Library("google.adk", "google-adk", (_OPENINFERENCE + "google_adk:GoogleADKInstrumentor",), "google-adk"),
    Library(
        "vertexai",
        "google-cloud-aiplatform",
        (_OPENINFERENCE + "vertexai:VertexAIInstrumentor", _OTEL + "vertexai:VertexAIInstrumentor"),
        "vertexai",
    ),
    Library(
        "boto3",
        "boto3",
        (
            _OPENINFERENCE + "bedrock:BedrockInstrumentor",
            _OTEL + "botocore:BotocoreInstrumentor",
            _OTEL + "bedrock:BedrockInstrumentor",
        ),
        "bedrock",
        aside=True,
    ),
    Library(
        "mistralai",
        "mistralai",
        (_OPENINFERENCE + "mistralai:MistralAIInstrumentor", _OTEL + "mistralai:MistralAiInstrumentor"),
        "mistralai",
        begins="mistralai.client",
    ),
    Library(
        "groq",
        "groq",
        (_OPENINFERENCE + "groq:GroqInstrumentor", _OTEL + "groq:GroqInstrumentor"),
        "groq",
        client="groq._base_client",
        calls=("/chat/completions", "/embeddings", "/audio/", "/responses"),
        streams=(
            "groq.resources.chat.completions:Completions.create",
            "groq.resources.chat.completions:AsyncCompletions.create",
        ),
    ),
    Library(
        "agents",
        "openai-agents",
        (
            _OPENINFERENCE + "openai_agents:OpenAIAgentsInstrumentor",
            _OTEL + "openai_agents:OpenAIAgentsInstrumentor",
        ),
        "openai-agents",
    ),
    Library(
        "pydantic_ai",
        "pydantic-ai-slim",
        # It traces itself, by OpenTelemetry's conventions, once it is told to.
        ("agentops.instrument.native:PydanticAIInstrumentor",),
        "pydantic-ai",
    ),
    Library(
        "crewai",
        "crewai",
        (_OPENINFERENCE + "crewai:CrewAIInstrumentor", _OTEL + "crewai:CrewAIInstrumentor"),
        "crewai",
    ),
    Library("dspy", "dspy", (_OPENINFERENCE + "dspy:DSPyInstrumentor",), "dspy"),
    Library(
        "haystack",
        "haystack-ai",
        (_OPENINFERENCE + "haystack:HaystackInstrumentor", _OTEL + "haystack:HaystackInstrumentor"),
        "haystack",
    ),
    Library(
        "smolagents", "smolagents", (_OPENINFERENCE + "smolagents:SmolagentsInstrumentor",), "smolagents"
    ),
    Library(
        "agno", "agno", (_OPENINFERENCE + "agno:AgnoInstrumentor", _OTEL + "agno:AgnoInstrumentor"), "agno"
    ),
    Library(
        "autogen_agentchat",
        "autogen-agentchat",
        (_OPENINFERENCE + "autogen_agentchat:AutogenAgentChatInstrumentor",),
        "autogen",
        # The runtime beneath traces itself: the same agents and tools, without what they were given.
        repeats=("autogen-core", "autogen_core", "autogen SingleThreadedAgentRuntime"),
    ),
    Library(
        "guardrails", "guardrails-ai", (_OPENINFERENCE + "guardrails:GuardrailsInstrumentor",), "guardrails"
    ),
    Library(
        "mcp",
        "mcp",
        (_OPENINFERENCE + "mcp:MCPInstrumentor", _OTEL + "mcp:McpInstrumentor"),
        "mcp",
        aside=True,
    ),
)

SELF_TRACED: Final = tuple(scope for library in LIBRARIES for scope in library.repeats)
"""Scopes of what libraries trace of themselves."""

BY_MODULE: Final[Mapping[str, Library]] = {library.module: library for library in LIBRARIES}


def exists(module: str) -> bool:
    """Say whether a module can be imported, without importing it (its parent packages apart)."""
    with suppress(Exception):  # A broken parent package raises whatever it likes.
        return importlib.util.find_spec(module) is not None
    return False
