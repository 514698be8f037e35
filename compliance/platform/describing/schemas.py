"""Reading JSON Schemas of a description: references, the kinds of values, and which parts an operation has."""

from collections.abc import Iterator, Mapping
from typing import Any

Document = Mapping[str, Any]
Node = Mapping[str, Any]
METHODS = ("get", "head", "post", "put", "patch", "delete")
JSON = "application/json"


def resolved(document: Document, node: Node) -> Node:
    """The schema behind a reference. KeyError for one that leads nowhere."""
    while "$ref" in node:
        found: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def unwrapped(document: Document, node: Node) -> tuple[Node, bool]:
    """The schema without its alternative "null", and whether it had one."""
    node = resolved(document, node)
    options = node.get("anyOf") or node.get("oneOf")
    if not options:
        return node, False
    left = [one for one in options if one.get("type") != "null"]
    if len(left) != 1:
        return node, len(left) != len(options)
    around = {name: value for name, value in node.items() if name not in ("anyOf", "oneOf")}
    return {**resolved(document, left[0]), **around}, len(left) != len(options)


def operations(document: Document) -> Iterator[tuple[str, Node]]:
    """ "GET /cases/{number}" and what is said of it."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield f"{method.upper()} {path}", operation


def answers(operation: Node) -> Iterator[tuple[str, Node]]:
    """The schemas of its answers in JSON, by status."""
    for status, answer in operation["responses"].items():
        schema = answer.get("content", {}).get(JSON, {}).get("schema")
        if schema is not None:
            yield str(status), schema


def body(operation: Node) -> Node | None:
    found: Node | None = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema")
    return found
