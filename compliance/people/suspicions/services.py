"""Internal suspicion reports: any member of staff files one in a minute and never sees its fate.

Life of a report: filed (its entry stands in the AML side's log only), listed and read by the AML side. Nothing outside
changes when one is filed: no count, no timeline, no read record, no number series with gaps.
"""

import secrets
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import INSTALLATION, Acts
from audit.cards import without_cards
from audit.record import ObjectRef, record
from compliance.keys.services import open_sealed, seal
from compliance.people.models import Customer, User
from compliance.people.suspicions.models import SuspicionReport

READ_SUSPICIONS = "suspicions.read_suspicions"
ABOUT, TEXT = "suspicions.about", "suspicions.text"
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is taken for another
LOG = "aml"
MOST = 200


def file(
    *, by: User, about: str, text: str, noticed_on: date, token: UUID, customer: Customer | None = None
) -> SuspicionReport:
    """Keep what somebody suspects, sealed, and give it a receipt. `token` is the form's: sent twice, it is kept once.

    `customer` is whom the caller found for `about`; nobody is told. Raises ValidationError with the field.
    """
    about, text = without_cards(about.strip()), without_cards(text.strip())
    if not text:
        raise ValidationError({"text": _("Write what made you suspicious.")})
    if noticed_on > timezone.localdate():
        raise ValidationError({"noticed_on": _("This day is in the future.")})
    try:
        return _kept(by=by, about=about, text=text, noticed_on=noticed_on, token=token, customer=customer)
    except IntegrityError:  # sent twice at once: the other one was kept
        return SuspicionReport.objects.get(pk=token, written_by=by)


@transaction.atomic
def _kept(
    *, by: User, about: str, text: str, noticed_on: date, token: UUID, customer: Customer | None
) -> SuspicionReport:
    known = SuspicionReport.objects.filter(pk=token, written_by=by).first()
    if known is not None:
        return known
    report = SuspicionReport.objects.create(
        id=token,
        receipt=_receipt(),
        written_by=by,
        customer=customer,
        about_sealed=seal(INSTALLATION, ABOUT, about.encode(), aad=token.bytes),
        text_sealed=seal(INSTALLATION, TEXT, text.encode(), aad=token.bytes),
        noticed_on=noticed_on,
        filed_at=timezone.now(),
    )
    details = {"receipt": report.receipt} | ({"customer": str(customer.pk)} if customer else {})
    record("suspicions.file", by=by, about=report, details=details)
    return report


def may_read(user: Any) -> bool:
    return bool(user.is_active and user.has_perm(READ_SUSPICIONS))


def require_reader(user: Any) -> None:
    """Http404 to everybody outside the AML side: for them there is no such page."""
    if not may_read(user):
        raise Http404("no such page")


@transaction.atomic
def inbox(*, by: User) -> Sequence[SuspicionReport]:
    """The newest reports, for the AML side. Looking is an entry of its log."""
    require_reader(by)
    rows = list(SuspicionReport.objects.select_related("written_by").order_by("-filed_at", "id")[:MOST])
    record("suspicions.list", by=by, about=ObjectRef("list", "suspicions"), details={"rows": len(rows)}, log=LOG)
    return rows


@transaction.atomic
def read(report_id: UUID, *, by: User) -> SuspicionReport:
    """One report, for the AML side; the first reading is noted on it, each is an entry of its log."""
    require_reader(by)
    rows = SuspicionReport.objects.select_for_update(of=("self",)).select_related("written_by", "customer")
    report = rows.filter(pk=report_id).first()
    if report is None:
        raise Http404("no such report")
    if report.read_at is None:
        report.read_at, report.read_by = timezone.now(), by
        report.save(update_fields=["read_at", "read_by"])
    record("suspicions.read", by=by, about=report, details={"receipt": report.receipt})
    return report


def words_of(report: SuspicionReport) -> tuple[str, str]:
    """Whom it is about, and what is suspected, as they were typed."""
    about = open_sealed(INSTALLATION, ABOUT, bytes(report.about_sealed), aad=report.pk.bytes)
    text = open_sealed(INSTALLATION, TEXT, bytes(report.text_sealed), aad=report.pk.bytes)
    return about.decode(), text.decode()


@transaction.atomic
def destroy(report: SuspicionReport, *, by: Acts, **why: str) -> None:
    """Its period is over: nothing is left but the entry, in the log of the AML side. `why` names rule and policy."""
    record("suspicions.destroy", by=by, about=report, details={"receipt": report.receipt, **why})
    report.delete()


def unread() -> int:
    return SuspicionReport.objects.filter(read_at=None).count()


def _receipt() -> str:
    letters = "".join(secrets.choice(LETTERS) for _place in range(8))
    return f"S-{letters[:4]}-{letters[4:]}"
