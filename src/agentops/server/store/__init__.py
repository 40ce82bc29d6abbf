"""The store: one ClickHouse dialect, embedded (chDB) or remote, behind one `Store`.

Rows go in as JSON lines, answers come out as bytes or as msgspec structs. Everything above asks `Store`;
nothing above knows which engine answers.
"""

from agentops.server.store.client import Store
from agentops.server.store.url import StoreUrl

__all__ = ["Store", "StoreUrl"]
