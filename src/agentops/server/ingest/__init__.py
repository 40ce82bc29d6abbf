"""Ingest: an OTLP request body in, committed rows out, and an answer that says what was refused."""

from agentops.server.ingest.answer import accepted
from agentops.server.ingest.body import Refused, decompressed, encoding_of
from agentops.server.ingest.receive import Ingest

__all__ = ["Ingest", "Refused", "accepted", "decompressed", "encoding_of"]
