"""The description as a page shows it: operations by subject, with what they take, an example, and a call to copy."""

import json
from typing import Any

from compliance.platform.describing.schemas import JSON, Document, Node, operations, unwrapped


def subjects_of(document: Document) -> list[dict[str, Any]]:
    """Each tag with its operations, in the order of the description."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, operation in operations(document):
        found.setdefault(operation["tags"][0], []).append(_operation(document, name, operation))
    return [{"title": title, "operations": each} for title, each in found.items()]


def _operation(document: Document, name: str, operation: Node) -> dict[str, Any]:
    method, _space, path = name.partition(" ")
    parameters = [_parameter(document, one) for one in operation.get("parameters", ())]
    content = operation.get("requestBody", {}).get("content", {})
    body = content.get(JSON)
    shown = {
        "id": operation["operationId"],
        "method": method,
        "path": path,
        "summary": operation["summary"],
        "description": operation.get("description", "").replace("`", ""),
        "scope": operation["security"][0]["Key"][0],
        "parameters": parameters,
        "body": pretty(body["example"]) if body else "",
        "other_body": next((kind for kind in content if kind != JSON), ""),
        "answers": [_answer(status, one) for status, one in operation["responses"].items() if int(status) < 300],
    }
    return shown | {"curl": _curl(shown), "can_try": not shown["other_body"] and method != "HEAD"}


def _parameter(document: Document, one: Node) -> dict[str, Any]:
    schema, _nullable = unwrapped(document, one.get("schema", {}))
    limits = [f"{word} {schema[name]}" for name, word in (("minimum", "≥"), ("maximum", "≤")) if name in schema]
    return {
        "name": one["name"],
        "where": one["in"],
        "required": one.get("required", False),
        "kind": " ".join([str(schema.get("format") or schema.get("type", "")), *limits]),
        "choices": schema.get("enum", ()),
        "description": (one.get("description") or one.get("schema", {}).get("description", "")).replace("`", ""),
        "example": one.get("example", ""),
    }


def _answer(status: str, one: Node) -> dict[str, str]:
    body = one.get("content", {}).get(JSON)
    return {
        "status": status,
        "description": one.get("description", ""),
        "example": pretty(body["example"]) if body else "",
    }


def _curl(shown: dict[str, Any]) -> str:
    path = shown["path"]
    for one in shown["parameters"]:
        if one["where"] == "path":
            path = path.replace(f"{{{one['name']}}}", str(one["example"]))
    lines = [f"curl -X {shown['method']} '$MIZAN{path}'", '-H "Authorization: Bearer $KEY"']
    if shown["body"]:
        lines += ["-H 'Content-Type: application/json'", '-H "Idempotency-Key: $(uuidgen)"']
        lines.append(f"-d '{json.dumps(json.loads(shown['body']), ensure_ascii=False)}'")
    return " \\\n  ".join(lines).replace("'$MIZAN", '"$MIZAN').replace(f"{path}'", f'{path}"')


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
