"""Internal suspicion reports end with a retention run too, and only the log of the AML side says so.

A report goes when its longest period is over, counted from its filing, and the player it is about was erased already:
while the relationship goes on, so does the report. One that is about nobody we know counts by the strictest licensee.
A legal hold wins. No plan, count or entry outside tells that there are such reports: that they exist is confidential.
"""

from collections.abc import Iterator
from datetime import date

from audit.actors import system
from compliance.people.models import Licensee
from compliance.people.suspicions.models import SuspicionReport
from compliance.people.suspicions.services import destroy
from documents.keeping.models import LegalHold
from documents.keeping.standing import longest


def end_reports() -> None:
    for report, until, rule, policy in list(_due()):
        destroy(report, by=system(), rule=rule, policy=policy, kept_until=until.isoformat())


def _due() -> Iterator[tuple[SuspicionReport, date, str, str]]:
    every = list(Licensee.objects.order_by("slug"))
    for report in SuspicionReport.objects.select_related("customer__licensee").order_by("filed_at", "pk"):
        customer = report.customer
        if customer and (customer.erased_at is None or LegalHold.objects.filter(customer=customer, lifted_at=None)):
            continue
        if end := _end([customer.licensee] if customer else every, report):
            yield report, *end


def _end(licensees: list[Licensee], report: SuspicionReport) -> tuple[date, str, str] | None:
    """The last of the licensees' days, its rule and policy; None while one is not over, or nobody verified it."""
    ends = []
    for licensee in licensees:
        version, rule = longest(licensee, licensee.today())
        if rule is None or (until := rule.value.after(licensee.day_of(report.filed_at))) > licensee.today():
            return None
        ends.append((until, rule.id, version))
    return max(ends, default=None)
