"""Wire protocols of published AgentOps clients, as they are documented, over the same rooms as the API."""
