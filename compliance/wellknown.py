"""`/.well-known/security.txt` (RFC 9116), and where browsers report what the content security policy stopped."""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from audit.access import Rule, rule

logger = logging.getLogger(__name__)

VALID = timedelta(days=180)
LONGEST_REPORT = 16_384  # bytes
REPORTS_A_MINUTE = 60  # from everybody together: a page that is wrong must not fill the log
# What of a report is written down. Addresses lose their query: it may hold what somebody searched for.
KEPT = ("effective-directive", "violated-directive", "blocked-uri", "document-uri", "source-file", "line-number")


@require_safe
@rule(Rule.PUBLIC)
def security_txt(request: HttpRequest) -> HttpResponse:
    """Whom to tell about a weakness. 404 where the operator named nobody (SECURITY_CONTACT)."""
    if not settings.SECURITY_CONTACT:
        raise Http404("no contact")
    expires = (datetime.now(UTC) + VALID).strftime("%Y-%m-%dT00:00:00Z")
    languages = ", ".join(code for code, _name in settings.LANGUAGES)
    lines = [f"Contact: {settings.SECURITY_CONTACT}", f"Expires: {expires}", f"Preferred-Languages: {languages}"]
    lines.append(f"Canonical: {settings.BASE_URL}/.well-known/security.txt")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@csrf_exempt  # browsers send it by themselves, without a token; it changes nothing
@require_POST
@rule(Rule.PUBLIC)
def csp_report(request: HttpRequest) -> HttpResponse:
    """Write down what a browser refused to load. Always 204: whoever sends nonsense learns nothing."""
    if int(request.headers.get("Content-Length") or 0) > LONGEST_REPORT:
        return HttpResponse(status=413)
    minute = f"csp-reports:{datetime.now(UTC):%Y%m%d%H%M}"
    cache.add(minute, 0, timeout=120)
    if cache.incr(minute) <= REPORTS_A_MINUTE:
        for report in _reports(request.body[:LONGEST_REPORT]):
            logger.warning("content security policy: %s", json.dumps(report, ensure_ascii=True))
    return HttpResponse(status=204)


def _reports(body: bytes) -> list[dict[str, str]]:
    """Both forms that browsers send: {"csp-report": {...}} and the Reporting API's list."""
    try:
        said: Any = json.loads(body)
    except ValueError:
        return []
    found = [said.get("csp-report")] if isinstance(said, dict) else said if isinstance(said, list) else []
    return [_kept(one) for one in found[:10] if isinstance(one, dict)]


def _kept(report: dict[str, Any]) -> dict[str, str]:
    facts = report.get("body") if isinstance(report.get("body"), dict) else report
    return {name: str(facts[name]).partition("?")[0][:300] for name in KEPT if name in (facts or {})}  # type: ignore[index]
