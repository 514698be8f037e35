"""What the page of an investigation shows of its reports."""

from typing import Any

from django.template import Context, Library

from cases.types.monitoring.models import Investigation
from cases.types.monitoring.reports import statutory
from cases.types.monitoring.reports.models import Report
from cases.types.monitoring.reports.profiles import NoProfile, profile_for
from cases.types.monitoring.services import whole

register = Library()


@register.inclusion_tag("monitoring/_statutory.html")
def statutory_times(user: Any) -> dict[str, Any]:
    """What is due by law, in the investigations that this person may see."""
    return {"times": statutory.listed(user)}


@register.inclusion_tag("monitoring/_reports.html", takes_context=True)
def reports_of(context: Context, investigation: Investigation) -> dict[str, Any]:
    """Its reports, and which kinds the authority knows."""
    try:
        version = profile_for(investigation.licensee.jurisdiction).on(investigation.licensee.today())
        kinds: tuple[str, ...] = version.kinds
    except NoProfile:
        kinds = ()
    rows = Report.objects.filter(investigation__in=whole(investigation)).order_by("drafted_at")
    return {
        "found": investigation,
        "reports": rows.defer("content_sealed", "document_sealed", "receipt_sealed"),
        "kinds": kinds,
        "is_over": investigation.state in ("closed", "merged"),
        "csrf_token": context.get("csrf_token"),
    }
