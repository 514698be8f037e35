"""The licensee of the key: its brands, the rules that hold there, and its daily counts. Nothing here is about a player.

The daily counts join the router of `compliance.platform.api`: an address answers all its methods from one router.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any

from django.db import transaction
from django.db.models import F, Q
from django.http import Http404, HttpRequest
from ninja import Query, Schema
from pydantic import Field

from audit.record import ObjectRef, record
from cases.paging import Order, page_of
from cases.reading.asking import After, Limit, Next, given, key_of
from compliance.people.models import Brand, Licensee
from compliance.platform.api import Compared, router
from compliance.platform.auth import Key
from compliance.platform.models import DailyCount
from compliance.platform.scopes import Scope
from compliance.policy import Policy, PolicyMissing
from compliance.rulebook.queries import days_of_change, policy_of

NEWEST_DAY: Order = ("-day", "thing", "id")


class LicenseeOut(Schema):
    slug: str = Field(examples=["lale"])
    name: str = Field(examples=["Lale Oyun A.Ş."])
    jurisdiction: str = Field(examples=["TR"], description="ISO 3166-1, whose law holds")
    time_zone: str = Field(examples=["Europe/Istanbul"], description="Its day is the day of daily counts and deadlines")
    test: bool = Field(description="Invented players only")


class LicenseePage(Schema):
    items: list[LicenseeOut]


class BrandOut(Schema):
    slug: str = Field(examples=["lale"])
    name: str = Field(examples=["Lale"])


class BrandPage(Schema):
    items: list[BrandOut]


class RequiredOut(Schema):
    """One thing that a level asks for."""

    purpose: str = Field(examples=["address"])
    any_of: list[str] = Field(examples=[["utility_bill", "bank_statement"]], description="Documents that may prove it")
    max_age_days: int | None = Field(examples=[90])


class LevelOut(Schema):
    name: str = Field(examples=["L2"])
    required: list[RequiredOut]


class PolicyOut(Schema):
    """What is asked of a player, from a day on. A case keeps the version it was opened under."""

    version: str = Field(examples=["TR-2026-02-01"])
    jurisdiction: str = Field(examples=["TR"])
    effective_from: date = Field(description="The first day, in the licensee's time zone")
    in_force: bool = Field(description="It holds today")
    minimum_age: int | None = Field(examples=[18], description="None: not verified")
    play_needs: str | None = Field(
        examples=["L2"], description="The level without which nobody plays; none: not verified"
    )
    levels: list[LevelOut]


class PolicyPage(Schema):
    items: list[PolicyOut]


class CountOut(Compared):
    day: date
    agrees: bool
    reported_at: datetime


class CountPage(Schema):
    """`next` is the `after` of the next page; none on the last."""

    items: list[CountOut]
    next: Next


@router.get("/licensees", auth=Key(Scope.PING), response=LicenseePage, summary="List licensees", tags=["house"])
def list_licensees(request: HttpRequest) -> Any:
    """The licensee of the key: a key has one."""
    return {"items": [_licensee(key_of(request).licensee)]}


@router.get("/licensees/{slug}", auth=Key(Scope.PING), response=LicenseeOut, summary="Read a licensee", tags=["house"])
def read_licensee(request: HttpRequest, slug: str) -> Any:
    licensee = key_of(request).licensee
    if slug != licensee.slug:
        raise Http404("no such licensee")
    return _licensee(licensee)


@router.get("/brands", auth=Key(Scope.ACCOUNTS_READ), response=BrandPage, summary="List brands", tags=["house"])
def list_brands(request: HttpRequest) -> Any:
    """The brands of the key's licensee."""
    return {"items": list(Brand.objects.filter(licensee_id=key_of(request).licensee_id).order_by("slug"))}


@router.get("/brands/{slug}", auth=Key(Scope.ACCOUNTS_READ), response=BrandOut, summary="Read a brand", tags=["house"])
def read_brand(request: HttpRequest, slug: str) -> Any:
    found = Brand.objects.filter(licensee_id=key_of(request).licensee_id, slug=slug).first()
    if found is None:
        raise Http404("no such brand")
    return found


@router.get("/policies", auth=Key(Scope.POLICIES_READ), response=PolicyPage, summary="List policies", tags=["house"])
def list_policies(
    request: HttpRequest, on: Annotated[date | None, Query(description="Only the one that holds on this day")] = None
) -> Any:
    """What the law and the licensee ask of players, the newest first, those to come included."""
    licensee = key_of(request).licensee
    found = list(_policies(licensee, until=on))
    if on is not None:
        found = found[-1:]
    return {"items": found[::-1]}


@router.get(
    "/policies/{version}", auth=Key(Scope.POLICIES_READ), response=PolicyOut, summary="Read a policy", tags=["house"]
)
def read_policy(request: HttpRequest, version: str) -> Any:
    for one in _policies(key_of(request).licensee):
        if one["version"] == version:
            return one
    raise Http404("no such policy")


@router.get(
    "/daily-counts", auth=Key(Scope.COUNTS_READ), response=CountPage, summary="List the counts of days", tags=["house"]
)
def list_counts(
    request: HttpRequest,
    day_from: date | None = None,
    day_to: date | None = None,
    thing: Annotated[str | None, Query(max_length=40)] = None,
    agrees: bool | None = None,
    after: After = "",
    limit: Limit = 50,
) -> Any:
    """What was reported and what was here, the newest day first. Differences that were settled since agree."""
    key = key_of(request)
    rows = DailyCount.objects.filter(licensee_id=key.licensee_id).filter(
        **given(day__gte=day_from, day__lte=day_to, thing=thing)
    )
    if agrees is not None:
        same = Q(theirs=F("ours"), missing=[], extra=[])
        rows = rows.filter(same) if agrees else rows.exclude(same)
    page = page_of(rows, NEWEST_DAY, size=limit, after=after)
    with transaction.atomic():
        record(
            "platform.list_counts", by=key, about=ObjectRef("list", "daily_counts"), details={"rows": len(page.rows)}
        )
    return {"items": [_count(row) for row in page.rows], "next": page.older or None}


def _licensee(licensee: Licensee) -> dict[str, Any]:
    facts = {name: getattr(licensee, name) for name in ("slug", "name", "jurisdiction", "time_zone")}
    return facts | {"test": licensee.is_test}


def _count(row: DailyCount) -> dict[str, Any]:
    facts = {name: getattr(row, name) for name in ("day", "thing", "theirs", "ours", "missing", "extra", "reported_at")}
    return facts | {"agrees": not row.differs}


def _policies(licensee: Licensee, *, until: date | None = None) -> Iterator[dict[str, Any]]:
    """Each version that has held or will hold, the oldest first, with its first day."""
    today, last = licensee.today(), ""
    try:
        now = policy_of(licensee, on=today).version
    except PolicyMissing:
        now = ""
    for day in days_of_change(licensee):
        if until is not None and day > until:
            return
        policy = policy_of(licensee, on=day)
        if policy.version != last:
            last = policy.version
            yield _policy(policy, day, in_force=policy.version == now)


def _policy(policy: Policy, day: date, *, in_force: bool) -> dict[str, Any]:
    asked, age = policy.verification, policy.age.__dict__["minimum"]
    play = asked.__dict__["play_needs"]
    return {
        "version": policy.version,
        "jurisdiction": policy.jurisdiction,
        "effective_from": day,
        "in_force": in_force,
        "minimum_age": age.value if age else None,
        "play_needs": play.value if play else None,
        "levels": [
            {
                "name": name,
                "required": [
                    {"purpose": one.purpose, "any_of": list(one.any_of), "max_age_days": one.max_age_days}
                    for one in level.required
                ],
            }
            for name, level in asked.levels.items()
        ],
    }
