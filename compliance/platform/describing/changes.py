"""What changed from one description to the next, and whether a platform that was written for the first would break.

Breaking: something goes or gets another type, an answer may be null where it was not, a request must say or may no
longer say what it did not have to or could, another scope is needed. Anything that is added is not: platforms take what
they know; nor is an error that comes no more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compliance.platform.describing.schemas import Document, Node, answers, body, operations, resolved, unwrapped

DEEPEST = 12
NARROWS_DOWN = {"maxLength", "maximum", "maxItems"}  # smaller takes less
NARROWS_UP = {"minLength", "minimum", "minItems"}  # greater takes less


@dataclass(frozen=True, slots=True)
class Part:
    """One value of a body, or one parameter."""

    kind: str
    required: bool
    nullable: bool
    enum: tuple[Any, ...]
    limits: Mapping[str, Any]


def changed(old: Document, new: Document) -> list[str]:
    """Every difference that a reader would see, breaking or not: "+ ..." and "- ..." by operation."""
    before, after = set(_facts(old)), set(_facts(new))
    return sorted([f"- {fact}" for fact in before - after] + [f"+ {fact}" for fact in after - before])


def breaking(old: Document, new: Document) -> list[str]:
    was, now = dict(operations(old)), dict(operations(new))
    found = [f"{name}: is gone" for name in sorted(was.keys() - now.keys())]
    for name in sorted(was.keys() & now.keys()):
        found += [f"{name}: {fault}" for fault in _broken(old, was[name], new, now[name])]
    return found


def _broken(old: Document, was: Node, new: Document, now: Node) -> Iterator[str]:
    ways = now.get("security", [])  # one of them is enough
    if any(way not in ways for way in was.get("security", [])):
        yield "needs another scope"
    before, after = dict(answers(was)), dict(answers(now))
    gone = {status for status in was["responses"] if status.isdigit() and int(status) < 300} - set(now["responses"])
    for status in sorted(gone):
        yield f"answers {status} no more"
    for status in sorted(before.keys() & after.keys()):
        yield from _answer(parts(old, before[status]), parts(new, after[status]))
    yield from _request(_asked(old, was), _asked(new, now))


def _answer(before: Mapping[str, Part], after: Mapping[str, Part]) -> Iterator[str]:
    for place, old in before.items():
        new = after.get(place)
        if new is None:
            yield f"the answer lost {place or 'its body'}"
        elif new.kind != old.kind:
            yield f"{place} of the answer was {old.kind} and is {new.kind}"
        elif new.nullable and not old.nullable:
            yield f"{place} of the answer may be null now"
        elif old.required and not new.required:
            yield f"{place} of the answer may be left out now"


def _request(before: Mapping[str, Part], after: Mapping[str, Part]) -> Iterator[str]:
    for place, asked in after.items():
        if asked.required and not (place in before and before[place].required):
            yield f"{place} of the request is required now"
    for place, old in before.items():
        new = after.get(place)
        if new is None:
            yield f"the request takes {place} no more"
        elif new.kind != old.kind:
            yield f"{place} of the request was {old.kind} and is {new.kind}"
        elif old.nullable and not new.nullable:
            yield f"{place} of the request may not be null any more"
        elif new.enum and (gone := set(old.enum) - set(new.enum) or (set() if old.enum else {"others"})):
            yield f"{place} of the request takes {', '.join(sorted(map(str, gone)))} no more"
        else:
            yield from (f"{place} of the request: {name} is narrower" for name in _narrower(old, new))


def _narrower(old: Part, new: Part) -> Iterator[str]:
    for name, value in new.limits.items():
        was = old.limits.get(name)
        less = name in NARROWS_DOWN and (was is None or value < was)
        more = name in NARROWS_UP and (was is None or value > was)
        if less or more or (name == "pattern" and value != was):
            yield name


def _asked(document: Document, operation: Node) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for parameter in operation.get("parameters", ()):
        for part in parts(document, parameter.get("schema", {}), required=parameter.get("required", False)).values():
            found.setdefault(f"{parameter['in']} {parameter['name']}", part)
            break
    schema = body(operation)
    return found | ({f"body {place}": part for place, part in parts(document, schema).items()} if schema else {})


def parts(document: Document, node: Node, *, place: str = "", required: bool = True, depth: int = 0) -> dict[str, Part]:
    """Every value of a schema by its place ("/items/[]/number")."""
    node, nullable = unwrapped(document, node)
    kind = str(node.get("type", "any")) + (f" ({node['format']})" if "format" in node else "")
    limits = {name: node[name] for name in (*NARROWS_DOWN, *NARROWS_UP, "pattern") if name in node}
    enum = tuple(node.get("enum", [node["const"]] if "const" in node else ()))
    found = {place: Part(kind, required, nullable, enum, limits)}
    if depth > DEEPEST:
        return found
    needed = node.get("required", ())
    for name, inner in node.get("properties", {}).items():
        found |= parts(document, inner, place=f"{place}/{name}", required=name in needed, depth=depth + 1)
    for inner_name, suffix in (("items", "[]"), ("additionalProperties", "*")):
        inner = node.get(inner_name)
        if isinstance(inner, dict):
            found |= parts(document, resolved(document, inner), place=f"{place}/{suffix}", depth=depth + 1)
    return found


def _facts(document: Document) -> Iterator[str]:
    for name, operation in operations(document):
        yield f"{name}: {operation.get('summary', '')} {operation.get('security')}"
        for place, part in _asked(document, operation).items():
            yield f"{name}: takes {place}: {part}"
        for status in operation["responses"]:
            yield f"{name}: answers {status}"
        for status, schema in answers(operation):
            for place, part in parts(document, schema).items():
                yield f"{name}: {status} holds {place}: {part}"
