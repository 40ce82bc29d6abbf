"""Who asks: projects, keys, tokens, sign-ins, what each may do, and the log of it.

`Auth.authenticate(headers) -> Caller` is the one question that every door asks (HTTP and gRPC); the caller's
project is the only one that a request reads or writes.
"""

from agentops.server.auth.caller import ADMIN, READ, RECORD, SCOPES, Caller, Denied
from agentops.server.auth.registry import Auth

__all__ = ["ADMIN", "READ", "RECORD", "SCOPES", "Auth", "Caller", "Denied"]
