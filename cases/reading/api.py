"""Lists and single things for the operator's platform: filters, pages that hold still, and `expand`.

These operations join the router of `cases.api`: an address answers all its methods from one router. Those on players,
on the operator and on the work itself stand in folders beside it.

A key sees its licensee's own. What an account may do is the gate's answer alone: rows behind it never leave the house.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _
from ninja import Query, Schema
from ninja.renderers import JSONRenderer
from pydantic import Field

from audit.record import record_read
from cases import kinds, texts
from cases.api import PUBLIC_STATES, CaseOut, FileOut, case_out, router
from cases.models import Case, Evidence
from cases.paging import Order, page_of
from cases.queries import get_case
from cases.reading.asking import After, Expand, Limit, Next, Reference, given, key_of, note, wanted
from compliance.people.changing import change_contact, contact_version
from compliance.people.models import Account
from compliance.platform.auth import Key
from compliance.platform.describing.errors import PROBLEM
from compliance.platform.models import ApiKey
from compliance.platform.problems import etag_as_read, register
from compliance.platform.scopes import Scope

__all__ = ["router"]  # the folders beside this one join it

NEWEST_CASE: Order = ("-opened_at", "-id")
NEWEST_ACCOUNT: Order = ("-created_at", "-id")
NEWEST_EVIDENCE: Order = ("-created_at", "-id")
NOT_SENT: Any = None  # only what was sent is read, so the default reaches nobody


IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The ETag of the account as you read it, without expand",
    "example": "*",
}


class ChangedMeanwhile(Exception):
    """The account is not what `If-Match` names any more."""


register(
    ChangedMeanwhile,
    status=412,
    code="precondition_failed",
    detail=_("It changed meanwhile. Read it again, then decide."),
)


class AccountRead(Schema):
    reference: str = Field(examples=["P-88213"])
    brand: str = Field(examples=["lale"])
    customer: UUID
    opened_at: datetime
    contact_version: str = Field(
        description="Another one after each change of the contact, which itself is not shown",
        examples=["5f0c1f3b9a2d4e67"],
    )
    level: str | None = Field(default=None, description="With expand=customer", examples=["L1"])


class CaseRead(CaseOut):
    documents: list[FileOut] | None = Field(default=None, description="With expand=documents: every file handed in")


class ContactIn(Schema):
    """What is not sent stays. "" takes the e-mail or the phone away; null is refused."""

    email: str = Field(default=NOT_SENT, max_length=254, examples=["isil@example.com"])
    phone: str = Field(default=NOT_SENT, max_length=30, examples=["+90 532 123 45 67"])
    language: str = Field(default=NOT_SENT, max_length=10, examples=["tr"])
    time_zone: str = Field(default=NOT_SENT, max_length=64, examples=["Europe/Istanbul"])


class AccountPage(Schema):
    """`next` is the `after` of the next page; none on the last."""

    items: list[AccountRead]
    next: Next


class CasePage(Schema):
    """`next` is the `after` of the next page; none on the last."""

    items: list[CaseRead]
    next: Next


class FilePage(Schema):
    items: list[FileOut]


class ReasonOut(Schema):
    """`code` is None where the reason stays inside; `text` is what the player reads, in their language."""

    code: str | None = Field(examples=["image_blurry"])
    text: str = Field(examples=["The photo is not sharp enough to read. Take it again in daylight."])


class EvidenceOut(Schema):
    """What one file is to its case. The verdict's reasons stand here once the player was told of them."""

    id: UUID
    purpose: str = Field(examples=["identity_front"])
    document_type: str = Field(examples=["national_id"])
    status: Literal["pending", "accepted", "returned", "rejected", "superseded", "expired"]
    reasons: list[ReasonOut]
    decided_at: datetime | None = Field(description="Of the verdict")
    issued_on: date | None = Field(description="As the paper says, once it was accepted")
    valid_until: date | None = Field(description="As the paper says: its last good day")
    good_until: date | None = Field(description="The last day on which it proves anything; a new one is asked for then")


class EvidencePage(Schema):
    """`next` is the `after` of the next page; none on the last."""

    items: list[EvidenceOut]
    next: Next


@router.get(
    "/accounts", auth=Key(Scope.ACCOUNTS_READ), response=AccountPage, exclude_unset=True, summary="List accounts"
)
def list_accounts(
    request: HttpRequest,
    brand: Annotated[str | None, Query(max_length=50)] = None,
    customer: UUID | None = None,
    opened_after: datetime | None = None,
    opened_before: datetime | None = None,
    expand: Expand = "",
    after: After = "",
    limit: Limit = 50,
) -> Any:
    """The newest first. Accounts that come while one reads stand before the first page: none is skipped or repeated."""
    shown = wanted(expand, "customer")
    filters = given(brand__slug=brand, customer_id=customer, created_at__gte=opened_after, created_at__lt=opened_before)
    page = page_of(_accounts(key_of(request)).filter(**filters), NEWEST_ACCOUNT, size=limit, after=after)
    note(request, action="cases.list_accounts", what="accounts", rows=len(page.rows))
    return {"items": [_account(row, shown) for row in page.rows], "next": page.older or None}


@router.get(
    "/accounts/{ref}",
    auth=Key(Scope.ACCOUNTS_READ),
    response=AccountRead,
    exclude_unset=True,
    summary="Read an account",
)
def read_account(request: HttpRequest, ref: str, expand: Expand = "") -> Any:
    shown = wanted(expand, "customer")
    found = _accounts(key_of(request)).filter(reference=ref).first()
    if found is None:
        raise Http404("no such account")
    note(request, action="cases.list_accounts", what="accounts", rows=1)
    return _account(found, shown)


@router.patch(
    "/accounts/{ref}",
    auth=Key(Scope.ACCOUNTS_CHANGE),
    response=AccountRead,
    exclude_unset=True,
    openapi_extra={"parameters": [IF_MATCH], "responses": {412: PROBLEM}},
    summary="Change the contact of an account",
)
def change_account(request: HttpRequest, ref: str, body: ContactIn) -> Any:
    """Whoever is kept out and comes under the new e-mail or phone is stopped at once: ask the gate afterwards.

    With `If-Match` only what you read is changed: 412 when somebody else was quicker.
    """
    key = key_of(request)
    with transaction.atomic():
        row = _accounts(key).select_for_update(of=("self",)).filter(reference=ref).first()
        if row is None:
            raise Http404("no such account")
        _require_unchanged(request, row)
        change_contact(row, by=key, **body.dict(exclude_unset=True))
    return _account(_accounts(key).get(pk=row.pk), set())


@router.get("/cases", auth=Key(Scope.CASES_READ), response=CasePage, exclude_unset=True, summary="List cases")
def list_cases(
    request: HttpRequest,
    account: Reference = None,
    kind: Annotated[str | None, Query(max_length=20)] = None,
    state: Literal["received", "in_review", "need_something", "finished"] | None = None,
    opened_after: datetime | None = None,
    opened_before: datetime | None = None,
    expand: Expand = "",
    after: After = "",
    limit: Limit = 50,
) -> Any:
    """The newest first. Cases that come while one reads stand before the first page: none is skipped or repeated."""
    shown = wanted(expand, "documents")
    filters = given(account__reference=account, kind=kind, opened_at__gte=opened_after, opened_at__lt=opened_before)
    rows: QuerySet[Case] = Case.objects.visible_to(key_of(request)).filter(**filters)
    if state is not None:
        rows = rows.filter(state__in=[inner for inner, outer in PUBLIC_STATES.items() if outer == state])
    page = page_of(rows.filter(kind__in=kinds.kinds()), NEWEST_CASE, size=limit, after=after)
    note(request, action="cases.list", what="cases", rows=len(page.rows))
    return {"items": [_case(row, shown) for row in page.rows], "next": page.older or None}


@router.get("/cases/{number}", auth=Key(Scope.CASES_READ), response=CaseRead, exclude_unset=True, summary="Read a case")
def read_case(request: HttpRequest, number: str, expand: Expand = "") -> Any:
    shown = wanted(expand, "documents")
    return _case_out(_opened(request, number), shown)


@router.get(
    "/cases/{number}/documents", auth=Key(Scope.CASES_READ), response=FilePage, summary="List the files of a case"
)
def list_documents(request: HttpRequest, number: str) -> Any:
    """Every file that was handed in, the oldest first, with what became of it. An original is taken one by one."""
    return {"items": _documents(_opened(request, number))}


@router.get(
    "/cases/{number}/documents/{id}", auth=Key(Scope.CASES_READ), response=FileOut, summary="Read a file's place"
)
def read_document(request: HttpRequest, number: str, id: UUID) -> Any:
    """One file that was handed in, and what became of it: after an upload, instead of the whole list."""
    return _file(_one(request, number, id))


@router.get(
    "/cases/{number}/evidence", auth=Key(Scope.CASES_READ), response=EvidencePage, summary="List the evidence of a case"
)
def list_evidence(
    request: HttpRequest,
    number: str,
    purpose: Annotated[str | None, Query(max_length=40)] = None,
    status: Literal["pending", "accepted", "returned", "rejected", "superseded", "expired"] | None = None,
    after: After = "",
    limit: Limit = 50,
) -> Any:
    """Every file with its verdict, the newest first: why it was not taken, as the player reads it, and how long it
    is good for.
    """
    case = _opened(request, number)
    rows = case.evidence.filter(**given(purpose=purpose, state=status))
    page = page_of(rows, NEWEST_EVIDENCE, size=limit, after=after)
    return {"items": [_evidence(case, row) for row in page.rows], "next": page.older or None}


@router.get(
    "/cases/{number}/evidence/{id}", auth=Key(Scope.CASES_READ), response=EvidenceOut, summary="Read one evidence"
)
def read_evidence(request: HttpRequest, number: str, id: UUID) -> Any:
    row = _one(request, number, id)
    return _evidence(row.case, row)


def _require_unchanged(request: HttpRequest, row: Account) -> None:
    """What `If-Match` names is the account as this key reads it now, without `expand`. Raises ChangedMeanwhile."""
    expected = request.headers.get("If-Match")
    if expected is None or expected.strip() == "*":
        return
    shown = AccountRead(**_account(row, set())).model_dump(exclude_unset=True)
    content = JSONRenderer().render(request, shown, response_status=200).encode()
    now = etag_as_read("GET /accounts/{ref}", content, request.api_version)  # type: ignore[attr-defined]
    if now not in [one.removeprefix("W/") for one in parse_etags(expected)]:
        raise ChangedMeanwhile


def _opened(request: HttpRequest, number: str) -> Any:
    """The case, its reading recorded. Http404 for one that the key does not see."""
    key = key_of(request)
    case = get_case(number, user=key)
    record_read(by=key, subject=case.audit_subject, purpose="api", about=case, matter=case.number)
    return case


def _one(request: HttpRequest, number: str, id: UUID) -> Evidence:
    case = _opened(request, number)
    found: Evidence | None = case.evidence.filter(pk=id).first()
    if found is None:
        raise Http404("no such evidence")
    found.case = case
    return found


def _evidence(case: Any, row: Evidence) -> EvidenceOut:
    names = ("purpose", "document_type", "decided_at", "issued_on", "valid_until", "good_until")
    facts = {name: getattr(row, name) for name in names}
    return EvidenceOut(id=row.pk, status=row.state, reasons=_reasons(case, row), **facts)


def _reasons(case: Any, row: Evidence) -> list[ReasonOut]:
    """None before the player was told, of a refusal with the end of the case: until then it may be taken back."""
    ended = row.state == Evidence.State.REJECTED and case.closed_at is not None
    codes = row.reasons if row.told or ended else []
    kept_inside = {code for code in codes if texts.reason(code).kind == "final"}
    said = {code: str(kinds.lookup(case.kind).told(case, row.purpose, code)) for code in codes}
    return [ReasonOut(code=None if code in kept_inside else code, text=text) for code, text in said.items()]


def _accounts(key: ApiKey) -> "QuerySet[Account]":
    return Account.objects.filter(licensee_id=key.licensee_id, released_at=None).select_related("brand", "customer")


def _account(row: Account, shown: set[str]) -> dict[str, Any]:
    facts = {"reference": row.reference, "brand": row.brand.slug, "customer": row.customer_id}
    facts |= {"opened_at": row.created_at, "contact_version": contact_version(row)}
    return facts | ({"level": row.customer.level} if "customer" in shown else {})


def _case(row: Case, shown: set[str]) -> dict[str, Any]:
    model = kinds.lookup(row.kind).model
    return _case_out(model.objects.select_related("customer", "account__brand", "licensee").get(pk=row.pk), shown)


def _case_out(case: Any, shown: set[str]) -> dict[str, Any]:
    facts = case_out(case).model_dump()
    return facts | ({"documents": _documents(case)} if "documents" in shown else {})


def _documents(case: Any) -> list[FileOut]:
    return [_file(one) for one in case.evidence.order_by("created_at", "id")]


def _file(one: Evidence) -> FileOut:
    return FileOut(id=one.pk, purpose=one.purpose, document_type=one.document_type, status=one.state)
