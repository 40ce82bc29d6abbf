"""Older places of integrations: AgentOps 0.4."""
