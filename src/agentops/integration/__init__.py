"""Integrations that a program names itself; each needs the library it is for only when it is used."""

from __future__ import annotations

from agentops.integration.langchain import AsyncLangchainCallbackHandler, LangchainCallbackHandler

__all__ = ["AsyncLangchainCallbackHandler", "LangchainCallbackHandler"]
