"""AgentOps: record the sessions of your AI agents and see them, live, on your own machine."""
