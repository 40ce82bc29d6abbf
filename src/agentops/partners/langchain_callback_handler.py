"""The LangChain callbacks where AgentOps 0.3 had them."""

from agentops.integration.langchain import AsyncLangchainCallbackHandler, LangchainCallbackHandler

__all__ = ["AsyncLangchainCallbackHandler", "LangchainCallbackHandler"]
