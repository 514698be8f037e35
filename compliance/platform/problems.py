"""Every error of the API is a problem document (RFC 9457) with request_id, code and errors[].

To map an exception of yours: `register(YourError, status=422, code="your_code")` in the module of your operations.
`type` is urn:mizan:problem:<code>, and a code never changes its meaning. Nothing of an unexpected error is shown.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, cast
from urllib.parse import unquote

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.encoding import escape_uri_path
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as InputError

from audit import context
from audit.access import ensure_recorded
from audit.middleware import HEADER
from audit.perform import ConditionsNotMet, Denied, StaleVersion, WrongState
from compliance.keys.services import Erased, KeyUnavailable, Shredded
from compliance.platform import versions
from compliance.platform.auth import TooManyRequests
from compliance.platform.signatures import NotSigned
from compliance.proposals.services import AlreadyDecided, AlreadyProposed, EvidenceChanged

MEDIA_TYPE = "application/problem+json"
JSON = "application/json"
PREFIX = "/api/"
TAKEN = ("application/json", "multipart/form-data", "application/offset+octet-stream")  # media types of bodies
MOMENT = "5"  # seconds after which a service that is away may be back

TITLES: Final[Mapping[int, str | Promise]] = {
    400: _("The request cannot be read"),
    401: _("No valid API key"),
    403: _("Not allowed"),
    404: _("Not found"),
    405: _("This address does not take this method"),
    409: _("In conflict with what is there now"),
    410: _("Erased"),
    412: _("The version of the protocol is missing or not known"),
    413: _("Too large"),
    415: _("Wrong media type"),
    422: _("The request is understood and cannot be carried out"),
    429: _("Too many requests"),
    500: _("Something went wrong on our side"),
    503: _("Not available at the moment"),
}
CODES: Final[Mapping[int, str]] = {
    400: "unreadable",
    401: "not_authenticated",
    403: "denied",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    410: "erased",
    412: "precondition_failed",
    413: "too_large",
    415: "wrong_media_type",
    422: "invalid",
    429: "too_many_requests",
    500: "internal",
    503: "unavailable",
}
DETAILS: Final[Mapping[int, str | Promise]] = {
    400: _("Check the address, the headers and the JSON of the body."),
    401: _("Send a valid key: Authorization: Bearer mzn_..."),
    403: _("You do not have the right to do this."),
    404: _("There is nothing at this address, or nothing that this key may see."),
    405: _("The header Allow names the methods that this address takes."),
    409: _("Read it again, then decide."),
    413: _("The request is larger than this address takes."),
    415: _("Send the body as application/json; a file as multipart/form-data."),
    500: _("It was written down under the request_id. The request can be tried again."),
    503: _("Try again in a moment."),
}

Errors = Iterable[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """How an exception is answered. `status`, `code`, `detail`, `errors` and `headers` are asked of the exception.

    `members` stand in the document beside the usual ones (RFC 9457, 3.2), for callers that act on more than the status.
    """

    status: Callable[[Any], int]
    code: Callable[[Any], str]
    detail: Callable[[Any], str | Promise]
    errors: Callable[[Any], Errors]
    headers: Callable[[Any], Mapping[str, str]]
    members: Mapping[str, Any]


_answers: dict[type[Exception], Answer] = {}
_codes: set[str] = set()


def register(
    exception: type[Exception],
    *,
    status: int | Callable[[Any], int],
    code: str | Callable[[Any], str],
    detail: str | Promise | Callable[[Any], str | Promise] = str,
    errors: Callable[[Any], Errors] = lambda error: (),
    headers: Callable[[Any], Mapping[str, str]] = lambda error: {},
    members: Mapping[str, Any] | None = None,
) -> None:
    """Answer this exception and those derived from it so. The nearest registered class wins; twice is an error."""
    if exception in _answers:
        raise ValueError(f"{exception.__name__} already has an answer")
    if isinstance(code, str):
        _codes.add(code)
    _answers[exception] = Answer(_asked(status), _asked(code), _asked(detail), errors, headers, members or {})


def codes() -> set[str]:
    """The codes that are known beforehand; what an exception names itself (Denied, Refused) comes on top."""
    return _codes | set(CODES.values())


def _asked(given: Any) -> Callable[[Any], Any]:
    return given if callable(given) else lambda error: given


def answer(request: HttpRequest, error: Any) -> HttpResponse:
    """The answer to a registered exception; any other goes on to Django, which logs it and answers 500."""
    found = next((_answers[kind] for kind in type(error).__mro__ if kind in _answers), None)
    if found is None:
        raise error
    if isinstance(error, Denied) and (key := getattr(request, "auth", None)):
        ensure_recorded(error, by=key, match=request.resolver_match)
    return problem(
        request,
        found.status(error),
        code=found.code(error),
        detail=found.detail(error),
        errors=found.errors(error),
        headers=found.headers(error),
        members=found.members,
    )


def problem(
    request: HttpRequest,
    status: int,
    *,
    code: str | None = None,
    detail: str | Promise | None = None,
    errors: Errors = (),
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The document. Without `code` and `detail` those of the status."""
    code = code or CODES.get(status, f"http_{status}")
    title = TITLES.get(status, _("Error"))
    body: dict[str, Any] = {
        "type": f"urn:mizan:problem:{code}",
        "title": str(title),
        "status": status,
        "detail": str(detail or DETAILS.get(status) or title),
        "instance": escape_uri_path(request.path),
        "request_id": context.request_id(),
        "code": code,
        **(members or {}),
    }
    if named := [dict(one) for one in errors]:
        body["errors"] = named
    return HttpResponse(json.dumps(body), content_type=MEDIA_TYPE, status=status, headers=dict(headers or {}))


class ProblemMiddleware:
    """Every error under /api/ is answered with a problem: unknown addresses, wrong methods, our own failures too.

    Belongs outside audit.middleware.ContextMiddleware, so that nothing between them answers with a page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        if "\x00" in unquote(request.get_full_path()):  # PostgreSQL refuses it in a text, which would be an error 500
            response: HttpResponseBase = problem(request, 400)
        elif request.META.get("CONTENT_LENGTH") not in (None, "", "0") and request.content_type not in TAKEN:
            response = problem(request, 415)
        else:
            response = self.get_response(request)
        if response.status_code >= 400 and response.get("Content-Type") != MEDIA_TYPE:
            kept = {name: response[name] for name in ("Allow", "Retry-After", HEADER) if name in response}
            response = problem(request, response.status_code, headers=kept)
        if response.status_code >= 400:
            _name_request(response)
        if allowance := getattr(request, "allowance", None):
            for name, value in allowance.headers.items():
                response[name] = value
        response.headers.setdefault("Cache-Control", "no-store")
        if version := getattr(request, "api_version", None):
            response[versions.HEADER] = version
            _speak(request, response, version)
        return _unless_known(request, response)


def _speak(request: HttpRequest, response: Any, version: str) -> None:
    """Operations answer in the newest version; stored replies are kept in it too."""
    if version == versions.newest() or response.status_code >= 300 or response.streaming:
        return
    if response.get("Content-Type", "").startswith(JSON):
        response.content = _older(versions.operation_of(request), response.content, version)


def _older(operation: str, content: bytes, version: str) -> bytes:
    return json.dumps(versions.older_answer(operation, json.loads(content), version)).encode()


def _unless_known(request: HttpRequest, response: Any) -> HttpResponseBase:
    """Name what was read by an ETag, and answer 304 to who has it already. Not the gate's: only 200 allows anything."""
    readable = request.method == "GET" and response.status_code == 200 and not response.streaming
    if readable and not request.path.endswith("/gate") and response.get("Content-Type", "").startswith(JSON):
        response.headers.setdefault("ETag", etag_of(response.content))
        known: HttpResponseBase | None = get_conditional_response(request, etag=response["ETag"], response=response)
        return known or response
    return cast(HttpResponseBase, response)


def etag_as_read(operation: str, content: bytes, version: str) -> str:
    """The ETag under which the GET `operation` names this answer of the newest form to who speaks `version`."""
    return etag_of(content if version == versions.newest() else _older(operation, content, version))


def etag_of(content: bytes) -> str:
    return f'"{sha256(content).hexdigest()[:32]}"'


def _name_request(response: Any) -> None:
    """Body and header name the same request. The context is closed out here, so its id comes back in the header."""
    body = json.loads(response.content)
    body["request_id"] = body["request_id"] or response.get(HEADER) or uuid.uuid4().hex
    response[HEADER] = body["request_id"]
    response.content = json.dumps(body).encode()


# -------------------------------------------------------------------------------------------- what we know
def _pointer(place: tuple[Any, ...]) -> str:
    """ "/full_name" in the body, "?limit" in the query, "path:number" elsewhere. Operations take one body."""
    where, *rest = place
    if where in ("body", "form", "file"):
        return "".join(f"/{part}" for part in (rest[1:] if where == "body" else rest))
    return f"?{rest[0]}" if where == "query" else f"{where}:{rest[0] if rest else ''}"


def _input_errors(error: InputError) -> Errors:
    return [
        {"pointer": _pointer(tuple(one["loc"])), "code": str(one["type"]), "detail": str(one["msg"])}
        for one in error.errors
    ]


def _field_errors(error: ValidationError) -> Errors:
    """Django's own: of fields where it names them."""
    if hasattr(error, "error_dict"):
        return [
            {"pointer": f"/{field}" if field != "__all__" else "", "code": one.code or "invalid", "detail": text}
            for field, found in error.error_dict.items()
            for one in found
            for text in one.messages
        ]
    return [
        {"pointer": "", "code": one.code or "invalid", "detail": text}
        for one in error.error_list
        for text in one.messages
    ]


def _reasons(error: ConditionsNotMet) -> Errors:
    return [{"pointer": "", "code": "condition", "detail": str(reason)} for reason in error.reasons]


def _changes(error: EvidenceChanged) -> Errors:
    return [{"pointer": "", "code": "changed", "detail": item} for item in error.changed]


_SEE_ERRORS = _("The list errors names each field and what is wrong with it.")

register(Denied, status=403, code=lambda error: error.code)
register(PermissionDenied, status=403, code="denied", detail=DETAILS[403])
register(Http404, status=404, code="not_found", detail=DETAILS[404])
register(StaleVersion, status=409, code="stale_version")
register(WrongState, status=409, code="wrong_state")
register(AlreadyDecided, status=409, code="already_decided")
register(AlreadyProposed, status=409, code="already_proposed")
register(EvidenceChanged, status=409, code="evidence_changed", errors=_changes)
register(ConditionsNotMet, status=422, code="conditions_not_met", errors=_reasons)
register(ValidationError, status=422, code="invalid", detail=_SEE_ERRORS, errors=_field_errors)
register(InputError, status=422, code="invalid", detail=_SEE_ERRORS, errors=_input_errors)
register(
    AuthenticationError,
    status=401,
    code="not_authenticated",
    detail=DETAILS[401],
    headers=lambda error: {"WWW-Authenticate": "Bearer"},
)
register(NotSigned, status=401, code="not_signed", headers=lambda error: {"WWW-Authenticate": "Bearer"})
register(
    HttpError, status=lambda error: error.status_code, code=lambda error: CODES.get(error.status_code, ""), detail=str
)
register(
    KeyUnavailable,
    status=503,
    code="keys_unavailable",
    detail=_("The keys cannot be reached. Try again in a moment."),
    headers=lambda error: {"Retry-After": MOMENT},
)
for lost in (OperationalError, InterfaceError):
    register(
        lost,
        status=503,
        code="database_unavailable",
        detail=_("The database cannot be reached. Nothing was changed. Try again in a moment."),
        headers=lambda error: {"Retry-After": MOMENT},
    )
register(versions.UnknownVersion, status=400, code="unknown_version")
register(Shredded, status=410, code="erased", detail=_("This was erased and cannot be read again."))
register(
    Erased,
    status=410,
    code="erased",
    detail=_("This player's data was erased, and nothing new is kept under it. Register a player who comes back anew."),
)
register(RequestDataTooBig, status=413, code="too_large", detail=DETAILS[413])
register(SuspiciousOperation, status=400, code="unreadable", detail=DETAILS[400])
register(UnreadablePostError, status=400, code="unreadable", detail=_("The request ended too early."))
register(
    TooManyRequests,
    status=429,
    code="too_many_requests",
    headers=lambda error: {"Retry-After": str(error.allowance.resets_in)},
)
