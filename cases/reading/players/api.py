"""Customers, persons and what accounts may not do. A key reads no identity data: the platform knows its players.

These operations join the router of `cases.api`: an address answers all its methods from one router.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest
from ninja import Query, Schema
from pydantic import Field

from audit.record import record_read
from cases.paging import Order, page_of
from cases.reading.api import router
from cases.reading.asking import After, Expand, Limit, Next, Reference, given, key_of, note, wanted
from compliance.people.gate import EFFECTS, permissions_of
from compliance.people.models import Account, Customer, Restriction
from compliance.platform.auth import Key
from compliance.platform.models import ApiKey
from compliance.platform.scopes import Scope

NEWEST: Order = ("-created_at", "-id")
Effect = Literal["sign_in", "deposit", "play", "withdraw", "marketing"]


class CustomerRead(Schema):
    """Who the player is stays here: the platform knows it, and a key reads no identity data."""

    id: UUID
    person: UUID = Field(description="The same human at all licensees of the group")
    level: str = Field(description="Verification level reached", examples=["L1"])
    registered_at: datetime
    accounts: list[str] | None = Field(
        default=None, description="With expand=accounts: your references", examples=[["P-88213"]]
    )


class CustomerPage(Schema):
    """`next` is the `after` of the next page; none on the last."""

    items: list[CustomerRead]
    next: Next


class PersonRead(Schema):
    """One human in the group. Shown are their customers at the licensee of the key, of others nothing."""

    id: UUID
    customers: list[UUID]


class Restricted(Schema):
    """One thing that an account may not do now, as the gate says it."""

    effect: Effect
    code: str = Field(examples=["play_stopped"])
    until: datetime | None = Field(description="None: no end is known")


class RestrictedAccount(Schema):
    account: str = Field(examples=["P-88213"])
    brand: str = Field(examples=["lale"])
    stop: bool = Field(description="A session that runs ends")
    restrictions: list[Restricted]


class RestrictedPage(Schema):
    """`next` is the `after` of the next page; none on the last."""

    items: list[RestrictedAccount]
    next: Next


@router.get(
    "/customers", auth=Key(Scope.ACCOUNTS_READ), response=CustomerPage, exclude_unset=True, summary="List customers"
)
def list_customers(
    request: HttpRequest,
    person: UUID | None = None,
    level: Annotated[str | None, Query(max_length=20)] = None,
    registered_after: datetime | None = None,
    registered_before: datetime | None = None,
    expand: Expand = "",
    after: After = "",
    limit: Limit = 50,
) -> Any:
    """The newest first. Who comes while one reads stands before the first page: nobody is skipped or repeated."""
    shown = wanted(expand, "accounts")
    filters = given(person_id=person, level=level, created_at__gte=registered_after, created_at__lt=registered_before)
    rows = _with_accounts(_customers(key_of(request)).filter(erased_at=None, **filters), shown)
    page = page_of(rows, NEWEST, size=limit, after=after)
    note(request, action="cases.list_customers", what="customers", rows=len(page.rows))
    return {"items": [_customer(row, shown) for row in page.rows], "next": page.older or None}


@router.get(
    "/customers/{id}",
    auth=Key(Scope.ACCOUNTS_READ),
    response=CustomerRead,
    exclude_unset=True,
    summary="Read a customer",
)
def read_customer(request: HttpRequest, id: UUID, expand: Expand = "") -> Any:
    """The level reached; whether a verification is asked for, its case says."""
    shown = wanted(expand, "accounts")
    key = key_of(request)
    found = _with_accounts(_customers(key).filter(pk=id), shown).first()
    if found is None:
        raise Http404("no such customer")
    record_read(by=key, subject=found.audit_subject, purpose="api", about=found)
    return _customer(found, shown)


@router.get("/persons/{id}", auth=Key(Scope.ACCOUNTS_READ), response=PersonRead, summary="Read a person")
def read_person(request: HttpRequest, id: UUID) -> Any:
    """What is restricted of a person is restricted of each of these customers."""
    found = list(_customers(key_of(request)).filter(person_id=id, erased_at=None).order_by("created_at", "id"))
    if not found:
        raise Http404("no such person")
    note(request, action="cases.list_customers", what="customers", rows=len(found))
    return {"id": id, "customers": [customer.pk for customer in found]}


@router.get(
    "/restrictions", auth=Key(Scope.GATE_READ), response=RestrictedPage, summary="List accounts that are restricted"
)
def list_restrictions(
    request: HttpRequest,
    account: Reference = None,
    brand: Annotated[str | None, Query(max_length=50)] = None,
    effect: Effect | None = None,
    after: After = "",
    limit: Limit = 50,
) -> Any:
    """Every account that may not do something now, with the gate's answers and nothing more, the newest account first.

    For setting a platform right after an outage. It replaces no question to the gate: that one is asked at each act.
    """
    key = key_of(request)
    filters = given(reference=account, brand__slug=brand)
    rows = Account.objects.filter(_held(effect), licensee_id=key.licensee_id, released_at=None, **filters)
    page = page_of(rows.select_related("brand"), NEWEST, size=limit, after=after)
    note(request, action="cases.list_restrictions", what="restrictions", rows=len(page.rows))
    shown = [_restricted(row) for row in page.rows]
    # What ended between the two questions is not restricted any more.
    return {"items": [one for one in shown if one["restrictions"]], "next": page.older or None}


@router.get(
    "/restrictions/{ref}", auth=Key(Scope.GATE_READ), response=RestrictedAccount, summary="Read what an account may not"
)
def read_restriction(request: HttpRequest, ref: str) -> Any:
    """The account under your reference, as in the list: `restrictions` is empty while nothing is against it."""
    key = key_of(request)
    mine = Account.objects.filter(licensee_id=key.licensee_id, released_at=None)
    row = mine.filter(reference=ref).select_related("brand").first()
    if row is None:
        raise Http404("no such account")
    note(request, action="cases.list_restrictions", what="restrictions", rows=1)
    return _restricted(row)


def _held(effect: str | None) -> Q:
    """Accounts that a row in force reaches, by whatever way: as the gate asks (people/gate.py)."""
    now = Q(starts_at__lte=Now(), lifted_at=None) & (Q(until=None) | Q(until__gt=Now()))
    rows = Restriction.objects.filter(now, **({f"stops_{effect}": True} if effect else {}))
    reach = {"pk": "account_id", "customer_id": "customer_id", "customer__person_id": "person_id"}
    held = Q()
    for field, column in reach.items():
        held |= Q(**{f"{field}__in": rows.exclude(**{column: None}).values(column)})
    return held


def _restricted(row: Account) -> dict[str, Any]:
    said = permissions_of(row.licensee_id, row.reference)
    stopped = [
        {"effect": effect, "code": said[effect].code, "until": said[effect].until}
        for effect in EFFECTS
        if not said[effect].allowed
    ]
    stop = not (said["sign_in"].allowed and said["play"].allowed)
    return {"account": row.reference, "brand": row.brand.slug, "stop": stop, "restrictions": stopped}


def _customers(key: ApiKey) -> "QuerySet[Customer]":
    found: QuerySet[Customer] = Customer.objects.filter(licensee_id=key.licensee_id)
    return found


def _with_accounts(rows: "QuerySet[Customer]", shown: set[str]) -> "QuerySet[Customer]":
    if "accounts" not in shown:
        return rows
    accounts = Account.objects.filter(released_at=None).order_by("created_at", "id")
    return rows.prefetch_related(Prefetch("accounts", queryset=accounts, to_attr="open_accounts"))


def _customer(row: Any, shown: set[str]) -> dict[str, Any]:
    facts = {"id": row.pk, "person": row.person_id, "level": row.level, "registered_at": row.created_at}
    return facts | ({"accounts": [one.reference for one in row.open_accounts]} if "accounts" in shown else {})
