"""The server of use_mcp.py: a tool that looks something up."""

from mcp.server.mcpserver import MCPServer

import agentops
from agentops.sdk.decorators import operation

agentops.init(auto_start_session=False)
server = MCPServer("weather")


@operation
def look_up(city):
    return {"city": city, "degrees": 21}


@server.tool()
def get_weather(city: str) -> str:
    """Say the weather of a city."""
    return f"{look_up(city)['degrees']} degrees in {city}"


server.run()
