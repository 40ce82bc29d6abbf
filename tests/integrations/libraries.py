"""The libraries that are recorded, each with the program that uses it and the environment that holds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Used:
    """A library in use.

    Args:
        name: the program's name: programs/use_NAME.py, expected/NAME.json.
        title: what people call it.
        package: the distribution whose version the documentation names.
        extra: the extra of ours that records it; empty when the base install does.
        environment: where the program runs.
        by: what records it.
        program_name: of another program than the usual one.
    """

    name: str
    title: str
    package: str
    extra: str
    environment: str
    by: str = "OpenInference"
    program_name: str = ""

    @property
    def program(self) -> Path:
        """The program."""
        return HERE / "programs" / f"{self.program_name or 'use_' + self.name}.py"

    @property
    def expected(self) -> Path:
        """Its events, as a person has read them."""
        return HERE / "expected" / f"{self.name}.json"


USED: Final = (
    Used("openai", "OpenAI", "openai", "", "openai3"),
    Used("anthropic", "Anthropic", "anthropic", "", "openai3"),
    Used("litellm", "LiteLLM", "litellm", "litellm", "openai2"),
    Used("langchain", "LangChain", "langchain-core", "langchain", "openai3"),
    Used("langgraph", "LangGraph", "langgraph", "langchain", "openai3"),
    Used("llama_index", "LlamaIndex", "llama-index-core", "llama-index", "openai2"),
    Used("openai_agents", "OpenAI Agents SDK", "openai-agents", "openai-agents", "openai3"),
    Used("pydantic_ai", "Pydantic AI", "pydantic-ai-slim", "pydantic-ai", "openai3", "its own tracing"),
    Used("crewai", "CrewAI", "crewai", "crewai", "crewai"),
    Used("google_genai", "Google Gen AI", "google-genai", "google-genai", "openai3"),
    Used("mistralai", "Mistral", "mistralai", "mistralai", "openai3"),
    Used("groq", "Groq", "groq", "groq", "openai3"),
    Used("bedrock", "Amazon Bedrock (boto3)", "boto3", "bedrock", "openai3"),
    Used("mcp", "Model Context Protocol", "mcp", "mcp", "openai3", "its own tracing, and ours"),
    Used("dspy", "DSPy", "dspy", "dspy", "openai2"),
    Used("smolagents", "smolagents", "smolagents", "smolagents", "openai3"),
    Used("agno", "Agno", "agno", "agno", "openai3"),
    Used("haystack", "Haystack", "haystack-ai", "haystack", "openai3"),
    Used("autogen", "AutoGen", "autogen-agentchat", "autogen", "openai3"),
)
"""Every library of docs/integrations.md."""
