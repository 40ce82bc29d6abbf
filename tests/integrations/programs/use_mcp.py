"""A client of MCP and its server, each a process of its own: the server's events are of the same session."""

import asyncio
import os
import sys
from pathlib import Path

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

import agentops
from agentops.sdk.decorators import agent

agentops.init(tags=["mcp"])


@agent
async def forecaster(question):
    server = StdioServerParameters(
        command=sys.executable, args=[str(Path(__file__).with_name("mcp_server.py"))], env=dict(os.environ)
    )
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        answer = await session.call_tool("get_weather", {"city": "Paris"})
        return answer.content[0].text


print(asyncio.run(forecaster("Weather in Paris?")))
agentops.end_session("Success")
