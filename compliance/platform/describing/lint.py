"""What a description must have so that others can work with it. Each fault names the operation and the fix."""

import re
from collections.abc import Iterator

from compliance.platform.describing.schemas import JSON, Document, Node, operations, resolved

LONGEST_SUMMARY = 60


def faults_of(document: Document) -> list[str]:
    if not str(document.get("openapi", "")).startswith("3.1"):
        return ["openapi: must be 3.1"]
    found = list(_references(document, document))
    if found:
        return sorted(set(found))
    seen: set[str] = set()
    for name, operation in operations(document):
        found += [f"{name}: {fault}" for fault in _faults(document, name, operation)]
        if operation.get("operationId") in seen:
            found.append(f"{name}: its operationId stands twice; rename the function")
        seen.add(operation.get("operationId", ""))
    return found


def _references(document: Document, node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            try:
                resolved(document, node)
            except KeyError:
                yield f"{node['$ref']}: leads nowhere"
        for value in node.values():
            yield from _references(document, value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(document, value)


def _faults(document: Document, name: str, operation: Node) -> Iterator[str]:
    summary = operation.get("summary", "")
    if not summary or len(summary) > LONGEST_SUMMARY or summary.endswith("."):
        yield f"give it a summary of at most {LONGEST_SUMMARY} characters, without a full stop"
    if len(operation.get("tags", ())) != 1:
        yield "give it one tag: Router(tags=[...])"
    if not operation.get("security"):
        yield "name its scope: auth=Key(Scope...)"
    if "401" not in operation["responses"]:
        yield "its errors are not described"
    if "default" in operation["responses"]:
        yield "name each status: with `default` no answer is unknown"
    parameters = {(one["in"], one["name"]) for one in operation.get("parameters", ())}
    for missing in set(re.findall(r"{(\w+)}", name)) - {inner for place, inner in parameters if place == "path"}:
        yield f"the parameter {missing} of the address is not described"
    if ("query", "after") in parameters and ("query", "limit") not in parameters:
        yield "a list with `after` has a `limit` of at most 100"
    yield from _without_example(operation)


def _without_example(operation: Node) -> Iterator[str]:
    for part in (operation.get("requestBody", {}), *operation["responses"].values()):
        for kind, media in part.get("content", {}).items():
            if kind == JSON and "example" not in media:
                yield "a body in JSON has no example"
            if kind == JSON and not media.get("schema"):
                yield "a body in JSON has no schema: name it with response=..."
