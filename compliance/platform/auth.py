"""Who calls the API: `Authorization: Bearer mzn_...`. Every operation names its scope: `auth=Key(Scope.CASES_READ)`.

No cookie opens the API, so there is nothing for another site to forge.
"""

from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja.security import HttpBearer

from audit import context
from audit.actors import Anonymous
from audit.perform import Denied
from audit.record import ObjectRef, record_refusal
from compliance.platform import services, signatures, versions
from compliance.platform.limits import Allowance, rate_limit
from compliance.platform.models import ApiKey
from compliance.platform.scopes import Scope
from compliance.platform.signatures import NotSigned

UNKNOWN_IS_NOTED_EVERY = 60  # seconds, per address: a guessing stranger must not be able to fill the log
NOT_SIGNED_IS_NOTED_EVERY = 60  # seconds, per key and reason: nor who found the half of a key


class TooManyRequests(Exception):
    """The key called more often than it may in this minute."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(str(_("More requests than this key may make in a minute. Wait, then go on.")))
        self.allowance = allowance


class Key(HttpBearer):
    """The key of the request becomes `request.auth`, and acts: `by=request.auth`.

    `arriving`: the operation takes in its body while it arrives, so a signed one is checked at its last byte.
    """

    openapi_bearerFormat = "mzn_<prefix>_<secret>"

    def __init__(self, scope: Scope, *, arriving: bool = False) -> None:
        super().__init__()
        self.scope = Scope(scope)
        self._arriving = arriving

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        key = services.find_key(token)
        if key is None:
            _note_unknown(request)
            return None
        context.amend(authentication="api_key")
        facts = {"scope": self.scope.value, "operation": f"{request.method}:{_route(request)}"}
        if not key.is_active:
            record_refusal("platform.sign_in", by=key, about=key, reason=_why_not(key), details=facts)
            return None
        self._count(request, key)  # before the signature: who found half of a key calls no oftener than its owner
        self._require_signature(request, key, facts)
        if not key.has_scope(self.scope):
            record_refusal("platform.sign_in", by=key, about=key, reason="no_scope", details=facts)
            raise Denied("no_scope", _("This key does not have the scope %(scope)s.") % {"scope": self.scope.value})
        request.api_version = versions.chosen(request.headers, key.api_version)  # type: ignore[attr-defined]
        services.note_use(key)
        return key

    def _require_signature(self, request: HttpRequest, key: ApiKey, facts: dict[str, str]) -> None:
        def note(wrong: NotSigned) -> None:
            if cache.add(f"not-signed:{key.pk}:{wrong.reason}", True, timeout=NOT_SIGNED_IS_NOTED_EVERY):
                record_refusal("platform.sign_in", by=key, about=key, reason=wrong.reason, details=facts)

        try:
            signatures.require(request, key, arriving=self._arriving, note=note)
        except NotSigned as wrong:
            note(wrong)
            raise

    def _count(self, request: Any, key: ApiKey) -> None:
        if key.rate_per_minute is not None:
            allowance = rate_limit.hit(str(key.pk), key.rate_per_minute)
            request.allowance = allowance  # problems.ProblemMiddleware turns it into headers
            if allowance.exceeded:
                raise TooManyRequests(allowance)


def _why_not(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.owner.is_active else "owner_not_active"


def _note_unknown(request: HttpRequest) -> None:
    address = context.current().address
    if cache.add(f"unknown-key:{address}", True, timeout=UNKNOWN_IS_NOTED_EVERY):
        route = ObjectRef("route", _route(request))
        record_refusal("platform.sign_in", by=Anonymous(), about=route, reason="unknown_key")


def _route(request: HttpRequest) -> str:
    return request.resolver_match.route if request.resolver_match else ""
