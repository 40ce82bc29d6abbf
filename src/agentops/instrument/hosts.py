"""Whose models a client of openai calls, as far as the address tells: many speak that protocol."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

_OLLAMA_PORT: Final = 11434
_HOSTS: Final = {
    "openrouter.ai": "openrouter",
    "api.moonshot.ai": "moonshot",
    "router.huggingface.co": "huggingface",
    "api.novita.ai": "novita",
    "api.deepinfra.com": "deepinfra",
    "ai-gateway.vercel.sh": "vercel",
    "models.github.ai": "github",
    "api.sambanova.ai": "sambanova",
    "integrate.api.nvidia.com": "nvidia",
    "aliyuncs.com": "alibaba",
    "googleapis.com": "google",
    "open.bigmodel.cn": "zhipuai",
}
"""Hosts that the instrumentor does not know, by the end of their names."""


def provider_of(infer: Callable[[str], Any]) -> Callable[[Any], str]:
    """Return what says, of a client, whose models it calls, as far as its address tells; "" when it does not.

    Args:
        infer: what the instrumentor knows of a host.
    """

    @functools.lru_cache(maxsize=64)
    def provider(host: str, port: int | None) -> str:
        if known := getattr(infer(host), "value", ""):
            return known
        if port == _OLLAMA_PORT:
            return "ollama"
        return next((name for end, name in _HOSTS.items() if host == end or host.endswith(f".{end}")), "")

    def of_client(client: Any) -> str:
        # The public property imports a module each time.
        url = getattr(client, "_base_url", None) or client.base_url
        return provider(url.host, url.port)

    return of_client
