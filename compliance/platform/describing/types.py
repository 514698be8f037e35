"""Types of the Python client, made from the description: a TypedDict for each schema."""

from collections.abc import Iterator
from typing import Any

from compliance.platform.describing.schemas import Document, Node

HEAD = '''"""What the API takes and answers. Made by `manage.py platform openapi --write`: not to be changed by hand."""

from typing import Any, Literal, NotRequired, TypedDict

__all__ = [
{names}
]

'''
PLAIN = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "object": "dict[str, Any]",
}


def types_of(document: Document) -> str:
    """A module of Python, in the order of the names."""
    schemas = {name: node for name, node in sorted(document["components"]["schemas"].items()) if "properties" in node}
    names = "\n".join(f'    "{name}",' for name in schemas)
    return HEAD.format(names=names) + "\n".join(_class(name, node) for name, node in schemas.items())


def _class(name: str, node: Node) -> str:
    return f"\nclass {name}(TypedDict):\n" + "".join(f"    {line}\n" for line in _fields(node))


def _fields(node: Node) -> Iterator[str]:
    for name, inner in node["properties"].items():
        kind = _kind(inner)
        yield f"{name}: {kind if name in node.get('required', ()) else f'NotRequired[{kind}]'}"


def _kind(node: Any) -> str:
    if "$ref" in node:
        return f'"{node["$ref"].rpartition("/")[2]}"'
    options = node.get("anyOf") or node.get("oneOf")
    if options:
        kinds = list(dict.fromkeys(_kind(one) for one in options))
        # A name in quotes cannot stand beside `| None` when it is evaluated.
        return " | ".join(kinds) if not any(one.startswith('"') for one in kinds) else f'"{_bare(kinds)}"'
    if "const" in node or "enum" in node:
        values = node.get("enum", [node.get("const")])
        return f"Literal[{', '.join(repr(one) for one in values)}]".replace("'", '"')
    if node.get("type") == "array":
        return f"list[{_kind(node.get('items', {}))}]"
    if node.get("type") == "object" and isinstance(node.get("additionalProperties"), dict):
        return f"dict[str, {_kind(node['additionalProperties'])}]"
    return PLAIN.get(node.get("type", ""), "Any")


def _bare(kinds: list[str]) -> str:
    return " | ".join(one.strip('"') for one in kinds)
