"""Attributes that spread one structure over many dotted names, put together again.

`llm.input_messages.0.message.tool_calls.1.tool_call.id` is a path; a tree is built from the paths, its
numbered levels become lists in the order of their numbers (wherever these start), and the wrappers that
OpenInference puts around each item (`message`, `message_content`, `tool_call`, ...) are taken off.
"""

from __future__ import annotations

from typing import Any, Final

from agentops.model import Attributes
from agentops.server.normalise.values import is_object

Tree = dict[str, Any]

_LEAF: Final = ""
"""Where a path ends that others go through."""
_DEEPEST: Final = 12
_WRAPPERS: Final = frozenset(("message", "message_content", "tool_call", "document", "embedding"))


def trees(attributes: Attributes, prefixes: tuple[str, ...]) -> dict[str, Any]:
    """Return, for each prefix that attributes start with (without its dot), what they say together."""
    roots: Tree = {}
    for name, value in attributes.items():
        if not name.startswith(prefixes):
            continue
        prefix = next(prefix for prefix in prefixes if name.startswith(prefix))
        node: Tree = roots.setdefault(prefix[:-1], {})
        steps = name[len(prefix) :].split(".", _DEEPEST)
        for step in steps[:-1]:
            below = node.get(step)
            if not is_object(below):
                below = {} if below is None else {_LEAF: below}
                node[step] = below
            node = below
        last = node.get(steps[-1])
        if is_object(last):
            last[_LEAF] = _copied(value)
        else:
            node[steps[-1]] = _copied(value)
    return {prefix: _listed(tree) for prefix, tree in roots.items()}


def _copied(value: Any) -> Any:
    """Return a level of our own to put others into: what the attributes hold stays as it is."""
    return {key: _copied(below) for key, below in value.items()} if is_object(value) else value


def _listed(node: Any) -> Any:
    """Turn numbered levels into lists, in the order of their numbers."""
    if not is_object(node):
        return node
    tree: Tree = node
    numbered = sorted((int(key), key) for key in tree if key.isdecimal() and len(key) < 10)
    if numbered and len(numbered) == len(tree):
        return [_unwrapped(_listed(tree[key])) for _, key in numbered]
    return {key: _listed(value) for key, value in tree.items()}


def _unwrapped(item: Any) -> Any:
    """Take the wrapper off an item: {"message": {...}} means {...}."""
    if is_object(item):
        tree: Tree = item
        inner: Tree = {}
        for key, value in tree.items():
            if key in _WRAPPERS and is_object(value):
                inner.update(value)
            else:
                inner.setdefault(key, value)
        called: Any = inner.get("function")
        if "tool_call" in tree and is_object(called) and "name" in called:
            called.setdefault("arguments", {})  # OpenInference leaves out those that are none.
        return inner
    return item
