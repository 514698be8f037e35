"""The errors that an operation answers with, by what it takes: each status is named, so that an answer can be unknown.

An operation that answers with one more names it itself, in `openapi_extra`.
"""

from collections.abc import Iterator
from typing import Any, Final

from compliance.platform.describing.schemas import JSON, operations

ALWAYS: Final = (400, 401, 403, 429, 500, 503)
ANY_PART: Final = (404, 410, 422)  # of the address
ANY_WRITE: Final = (404, 409, 410, 422)
ANY_BODY: Final = (413, 415)
PROBLEM: Final = {"$ref": "#/components/responses/Problem"}
KNOWN: Final = {"description": "Nothing changed since the ETag that you sent"}


def add_errors(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        answers: dict[Any, Any] = operation["responses"]
        for status in _statuses(name, operation):
            answers.setdefault(status, PROBLEM)
        if name.startswith("GET ") and not name.endswith("/gate") and JSON in answers.get(200, {}).get("content", {}):
            answers[304] = KNOWN


def _statuses(name: str, operation: Any) -> Iterator[int]:
    places = {parameter["in"] for parameter in operation.get("parameters", ())}
    yield from ALWAYS
    if "path" in places:
        yield from ANY_PART
    if "query" in places:
        yield 422
    if not name.startswith(("GET ", "HEAD ")):
        yield from ANY_WRITE
    if "requestBody" in operation:
        yield from ANY_BODY
