"""An example for every operation, made from the examples of the fields; what has none gets a plain value of its type.

A field whose plain value would not fit (a pattern, say) names its own: Field(examples=[...]). The lint finds it.
"""

from typing import Any, Final

from compliance.platform.describing.schemas import JSON, Document, Node, operations, unwrapped

DEEPEST: Final = 12
BY_FORMAT: Final = {
    "uuid": "3f0c8f5e-5a0e-4d3a-9d55-0d4d5c1f7a11",
    "date-time": "2026-11-22T06:04:11Z",
    "date": "2026-11-20",
    "uri": "https://example.com/",
    "uri-reference": "/api/v1/ping",
}
BY_NAME: Final = {  # of what names no example of its own
    "reference": "P-88213",
    "kind": "verification",
    "purpose": "identity_front",
    "document_type": "passport",
    "status": "pending",
    "thing": "accounts",
    "number": "KYC-26-004813-9",
    "case": "KYC-26-004813-9",
    "ref": "P-88213",
    "account": "P-88213",
    "slug": "lale",
    "brand": "lale",
    "version": "TR-2026-02-01",
}


def add_examples(document: dict[str, Any]) -> None:
    """Bodies and answers in JSON, and parameters, each get one where they have none."""
    for _name, operation in operations(document):
        parts = [operation.get("requestBody", {}), *operation["responses"].values()]
        for part in parts:
            media = part.get("content", {}).get(JSON)
            if media is not None and "example" not in media:
                media["example"] = example_of(document, media["schema"])
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path" or parameter.get("required"):
                shown = BY_NAME.get(parameter["name"]) or example_of(document, parameter.get("schema", {}))
                parameter.setdefault("example", shown)


def example_of(document: Document, node: Node, *, depth: int = 0) -> Any:
    node, nullable = unwrapped(document, node)
    for given in (node.get("examples", ()), [node["const"]] if "const" in node else (), node.get("enum", ())):
        if given:
            return given[0]
    if depth > DEEPEST:
        return None
    kind = node.get("type")
    if "properties" in node:
        return {name: _named(document, name, one, depth) for name, one in node["properties"].items()}
    if kind == "object":
        inner = node.get("additionalProperties")
        return {"name": example_of(document, inner, depth=depth + 1)} if isinstance(inner, dict) else {}
    if kind == "array":
        return [example_of(document, node["items"], depth=depth + 1)] if "items" in node else []
    if kind in ("integer", "number"):
        return max(1, node.get("minimum", 1))
    if kind == "boolean":
        return True
    if kind == "string":
        return BY_FORMAT.get(node.get("format", "")) or node.get("default") or "text"
    return None


def _named(document: Document, name: str, node: Node, depth: int) -> Any:
    found = example_of(document, node, depth=depth + 1)
    return BY_NAME.get(name, found) if found == "text" else found
