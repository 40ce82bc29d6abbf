"""The LangChain callbacks where AgentOps 0.4 had them."""

from agentops.integration.langchain import AsyncLangchainCallbackHandler, LangchainCallbackHandler

__all__ = ["AsyncLangchainCallbackHandler", "LangchainCallbackHandler"]
