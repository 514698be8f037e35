"""What our API adds to ninja's: one form of errors, strict JSON, a scope for every operation, its description."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from audit.access import Rule
from compliance.platform import problems, versions
from compliance.platform.auth import Key
from compliance.platform.describing.errors import add_errors
from compliance.platform.describing.examples import add_examples
from compliance.platform.scopes import Scope
from compliance.platform.signatures import IF_SENT, NotSigned

PROBLEM = {
    "description": "What went wrong (RFC 9457)",
    "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "request_id", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:mizan:problem:stale_version"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "request_id": {"type": "string"},
        "code": {"type": "string", "description": "Stable; the last part of type"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "Place in the body (RFC 6901); ?name in the query"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


SIGNATURE = {
    "type": "apiKey",
    "in": "header",
    "name": "Signature",
    "description": "Of keys that sign their requests, beside the key: RFC 9421 with hmac-sha256 over @method, @path, "
    "@query, content-digest (RFC 9530, sha-256) and content-type of a body, and these headers where they are sent: "
    + ", ".join(name.lower() for name in IF_SENT if name != "Content-Digest")
    + ". Parameters: created (within five minutes), nonce (16 to 128 characters, used once), keyid (the key up to its "
    "second underscore).",
}


class StrictParser(Parser):
    """JSON as RFC 8259 has it: no NaN, no name twice, and no text that cannot be stored."""

    def parse_body(self, request: HttpRequest) -> Any:
        body = _storable(json.loads(request.body, parse_constant=_refuse, object_pairs_hook=_each_once))
        version = getattr(request, "api_version", versions.newest())
        return versions.newer_request(versions.operation_of(request), body, version)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _storable(value: Any) -> Any:
    """PostgreSQL takes neither a NUL nor half a surrogate pair in a text, both of which JSON can spell."""
    if b"\\u0000" in json.dumps(value, ensure_ascii=False).encode():  # encode() refuses the surrogates
        raise ValueError("a text holds a NUL")
    return value


def for_staff_and_keys(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The description of the API is shown to people who signed in and to any valid key."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        try:
            if (user.is_authenticated and user.is_active) or Key(Scope.PING)(request):
                return view(request, *args, **kwargs)
        except NotSigned as wrong:
            return problems.answer(request, wrong)
        return problems.problem(request, 401, headers={"WWW-Authenticate": "Bearer"})

    shown.rule = Rule.KEY  # type: ignore[attr-defined]
    return shown


class MizanAPI(NinjaAPI):
    """Made with its routers, named by string; refuses to be made when an operation names no scope."""

    def __init__(self, *, routers: tuple[str, ...], **options: Any) -> None:
        # No docs page: ninja's loads scripts from elsewhere, which our content policy refuses.
        super().__init__(docs_url=None, docs_decorator=for_staff_and_keys, parser=StrictParser(), **options)
        for router in routers:
            self.add_router("", router)
        operations(self)

    def set_default_exception_handlers(self) -> None:
        """One way to answer errors instead of ninja's several."""
        self.add_exception_handler(Exception, problems.answer)

    def get_openapi_operation_id(self, operation: Any) -> str:
        """The function's name, wherever it lives: clients are made from it. The lint refuses one that stands twice."""
        name: str = operation.view_func.__name__
        return name

    def _get_urls(self) -> list[Any]:
        urls = super()._get_urls()
        for pattern in urls:
            if getattr(pattern, "name", "") == "api-root":  # ninja's anchor for paths; it answers 404
                pattern.callback.rule = Rule.KEY  # type: ignore[union-attr]
        return urls

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Ninja's document, with the scope of each operation and the one form of every error."""
        document = super().get_openapi_schema(**options)
        document["components"]["schemas"]["Problem"] = PROBLEM_SCHEMA
        document["components"].setdefault("responses", {})["Problem"] = PROBLEM
        scopes = {operation.operation_id: scope for operation, scope in operations(self)}
        for path in document["paths"].values():
            for described in path.values():
                named = {"Key": [scopes[described["operationId"]]]}
                described["security"] = [named, named | {"Signature": []}]
        document["components"]["securitySchemes"]["Signature"] = SIGNATURE
        add_errors(document)
        add_examples(document)
        return document


def operations(api: NinjaAPI) -> list[tuple[Any, str]]:
    """Every operation with the scope it names; one that names none, or more, is an error when Django starts."""
    found = []
    for bound in api._get_bound_routers():
        for view in bound.path_operations.values():
            for operation in view.operations:
                operation.operation_id = operation.operation_id or api.get_openapi_operation_id(operation)
                callbacks = operation.auth_callbacks
                if len(callbacks) != 1 or not isinstance(callbacks[0], Key):
                    raise TypeError(f"{operation.operation_id}: name its scope with auth=Key(Scope...).")
                found.append((operation, callbacks[0].scope.value))
    return found
