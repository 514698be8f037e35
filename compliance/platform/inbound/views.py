"""The door for signed messages. It keeps what is genuine and answers at once; a worker does the rest."""

from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from audit import context
from audit.access import Rule, rule
from audit.actors import Anonymous
from audit.record import ObjectRef, record_refusal
from compliance.platform.inbound import services
from compliance.platform.webhooks.signing import NotGenuine

NOTED_EVERY = 60  # seconds, per address: a stranger must not be able to fill the log


def _answer(status: int, code: str) -> JsonResponse:
    return JsonResponse({"status": status, "code": code}, status=status)


@csrf_exempt
@rule(Rule.PUBLIC)
@require_POST
def receive(request: HttpRequest, sender_id: Any) -> JsonResponse:
    """202 for a new message, 200 for a repeat, 401 for what nobody we know signed now, 409 for an id used twice."""
    if int(request.headers.get("Content-Length") or 0) > services.LARGEST:
        return _answer(413, "too_large")
    given = {name: request.headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    try:
        new = services.receive(sender_id, given, request.body)
    except NotGenuine as wrong:
        _note(sender_id, wrong.code)
        return _answer(401, "not_genuine")
    except services.Unreadable:
        return _answer(422, "unreadable")
    except services.OtherBody:
        return _answer(409, "other_body")
    return _answer(202, "kept") if new else _answer(200, "known")


def _note(sender_id: Any, code: str) -> None:
    if cache.add(f"not-genuine:{context.current().address}", True, timeout=NOTED_EVERY):
        about = ObjectRef("route", "inbound")
        record_refusal("inbound.refuse", by=Anonymous(), about=about, reason=code, details={"sender": str(sender_id)})
