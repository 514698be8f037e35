"""What a goAML report says of money: the transactions that lie in the basket, in the currency of the authority."""

from decimal import Decimal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from audit.perform import ConditionsNotMet
from cases.patterns.kinds import Kind
from cases.types.monitoring import basket
from cases.types.monitoring.reports import goaml
from cases.types.monitoring.reports.models import Report
from cases.types.monitoring.transactions.models import PaymentInstrument, Transaction

EXPONENT = {"JPY": 0, "KRW": 0, "ISK": 0, "KWD": 3, "BHD": 3, "TND": 3, "JOD": 3, "OMR": 3}


def facts_of(report: Report) -> goaml.Facts:
    """What stands beside its words."""
    return goaml.Facts(
        reference=report.reference,
        kind=report.kind,
        made_at=timezone.localtime(timezone.now(), report.licensee.zone),
        currency=goaml.CURRENCIES.get(report.licensee.jurisdiction, "EUR"),
        location=report.licensee.name,
        authority_reference=report.follows.authority_reference if report.follows else "",
        rejected_reference=report.rejected_reference,
    )


def moved_in(report: Report, currency: str) -> list[goaml.Moved]:
    """The transactions of the basket, where the kind of report takes them.

    ConditionsNotMet where one is in another currency: goAML asks for what it was worth, and we know no rates.
    """
    if report.kind in ("SAR", "AIF"):
        return []
    lying = [row for row, _title in basket.contents(report.investigation) if row.kind == "transaction"]
    kinds = (Kind.DEPOSIT, Kind.WITHDRAWAL)
    rows = list(Transaction.objects.filter(pk__in=[row.source_id for row in lying], kind__in=kinds).order_by("at"))
    if strange := sorted({row.currency for row in rows} - {currency}):
        raise ConditionsNotMet(
            [
                _("The authority takes amounts in %(currency)s. Take those in %(others)s out and write of them.")
                % {"currency": currency, "others": ", ".join(strange)}
            ]
        )
    used = PaymentInstrument.objects.filter(key__in={row.instrument for row in rows if row.instrument})
    tails: dict[tuple[UUID, UUID | None], str] = {(row.customer_id, row.key): row.tail for row in used}
    return [_one(row, tails.get((row.customer_id, row.instrument), ""), report) for row in rows]


def _one(row: Transaction, tail: str, report: Report) -> goaml.Moved:
    return goaml.Moved(
        number=row.source_id,
        at=timezone.localtime(row.at, report.licensee.zone),
        amount=Decimal(row.amount).scaleb(-EXPONENT.get(row.currency, 2)),
        incoming=row.kind == Kind.DEPOSIT,
        instrument=row.instrument_kind or "other",
        account=f"****{tail}" if tail else "",
        description=str(row.get_kind_display()),
    )
