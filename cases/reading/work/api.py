"""Contacts with players, and proposals on their cases: that they exist and how they ended, never what was said.

Both follow the cases that the key sees: of a case that is kept from it, nothing shows that anything was done.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from audit.record import record_read
from cases import kinds
from cases.contacts.models import Contact
from cases.models import Case
from cases.paging import Order, page_of
from cases.queries import get_case
from cases.reading.asking import After, Limit, Next, Reference, given, key_of, note
from compliance.platform.auth import Key
from compliance.platform.models import ApiKey
from compliance.platform.scopes import Scope
from compliance.proposals.models import Proposal

router = Router(tags=["work"])
LAST_CONTACT: Order = ("-contacted_at", "-id")
NEWEST: Order = ("-created_at", "-id")
Number = Annotated[str | None, Query(max_length=20, description="Tracking number of the case")]


class ContactOut(Schema):
    """What was said stays here."""

    id: UUID
    case: str = Field(examples=["KYC-26-004813-9"])
    account: str = Field(examples=["P-88213"])
    channel: str = Field(examples=["phone"])
    direction: Literal["in", "out"]
    category: str = Field(examples=["verification"])
    outcome: str = Field(examples=["answered"])
    language: str = Field(examples=["tr"])
    solved_at_once: bool
    contacted_at: datetime


class ContactPage(Schema):
    """`next` is the `after` of the next page; none on the last."""

    items: list[ContactOut]
    next: Next


class ProposalOut(Schema):
    """A decision that one person proposed and another must confirm: a key sees it and confirms none."""

    id: UUID
    act: str = Field(examples=["verification.approve"])
    case: str = Field(examples=["KYC-26-004813-9"])
    state: Literal["parked", "performed", "returned", "withdrawn", "voided", "expired"]
    proposed_at: datetime
    expires_at: datetime
    decided_at: datetime | None


class ProposalPage(Schema):
    """`next` is the `after` of the next page; none on the last."""

    items: list[ProposalOut]
    next: Next


@router.get("/contacts", auth=Key(Scope.CONTACTS_READ), response=ContactPage, summary="List contacts")
def list_contacts(
    request: HttpRequest,
    case: Number = None,
    account: Reference = None,
    channel: Literal["phone", "chat", "email", "social", "in_person"] | None = None,
    direction: Literal["in", "out"] | None = None,
    contacted_after: datetime | None = None,
    contacted_before: datetime | None = None,
    after: After = "",
    limit: Limit = 50,
) -> Any:
    """Contacts with players on cases that the key sees, the latest first."""
    filters = given(case__number=case, case__account__reference=account, channel=channel, direction=direction)
    filters |= given(contacted_at__gte=contacted_after, contacted_at__lt=contacted_before)
    rows = Contact.objects.filter(case__in=_cases(key_of(request)), **filters).select_related("case__account")
    page = page_of(rows, LAST_CONTACT, size=limit, after=after)
    note(request, action="cases.list_contacts", what="contacts", rows=len(page.rows))
    return {"items": [_contact(row) for row in page.rows], "next": page.older or None}


@router.get("/contacts/{id}", auth=Key(Scope.CONTACTS_READ), response=ContactOut, summary="Read a contact")
def read_contact(request: HttpRequest, id: UUID) -> Any:
    key = key_of(request)
    found = Contact.objects.filter(pk=id, case__in=_cases(key)).select_related("case__account").first()
    if found is None:
        raise Http404("no such contact")
    case = found.case
    record_read(by=key, subject=case.audit_subject, purpose="api", about=case, matter=case.number)
    return _contact(found)


@router.get("/proposals", auth=Key(Scope.PROPOSALS_READ), response=ProposalPage, summary="List proposals")
def list_proposals(
    request: HttpRequest,
    case: Number = None,
    act: Annotated[str | None, Query(max_length=80)] = None,
    state: Literal["parked", "performed", "returned", "withdrawn", "voided", "expired"] | None = None,
    after: After = "",
    limit: Limit = 50,
) -> Any:
    """Decisions on cases that the key sees which wait, or waited, for a second person; the newest first."""
    rows = _proposals(key_of(request)).filter(**given(matter=case, act=act, state=state))
    page = page_of(rows, NEWEST, size=limit, after=after)
    note(request, action="cases.list_proposals", what="proposals", rows=len(page.rows))
    return {"items": [_proposal(row) for row in page.rows], "next": page.older or None}


@router.get("/proposals/{id}", auth=Key(Scope.PROPOSALS_READ), response=ProposalOut, summary="Read a proposal")
def read_proposal(request: HttpRequest, id: UUID) -> Any:
    key = key_of(request)
    found = _proposals(key).filter(pk=id).first()
    if found is None:
        raise Http404("no such proposal")
    case = get_case(found.matter, user=key)
    record_read(by=key, subject=case.audit_subject, purpose="api", about=case, matter=case.number)
    return _proposal(found)


def _cases(key: ApiKey) -> "QuerySet[Case]":
    found: QuerySet[Case] = Case.objects.visible_to(key).filter(kind__in=kinds.kinds())
    return found


def _proposals(key: ApiKey) -> "QuerySet[Proposal]":
    """Of acts on the case itself: what is decided about people, exports or restrictions is not the platform's."""
    seen = _cases(key)
    found: QuerySet[Proposal] = Proposal.objects.of_log("main").filter(
        licensee_id=key.licensee_id, subject_id__in=seen.values("pk"), matter__in=seen.values("number")
    )
    return found


def _contact(row: Contact) -> dict[str, Any]:
    names = ("channel", "direction", "category", "outcome", "language", "solved_at_once", "contacted_at")
    return {"id": row.pk, "case": row.case.number, "account": row.case.account.reference} | {
        name: getattr(row, name) for name in names
    }


def _proposal(row: Proposal) -> dict[str, Any]:
    facts = {name: getattr(row, name) for name in ("act", "state", "expires_at", "decided_at")}
    return facts | {"id": row.pk, "case": row.matter, "proposed_at": row.created_at}
