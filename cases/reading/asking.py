"""What the lists of the API have in common: how a page is asked for, what is shown in full, what the log says of it."""

from collections.abc import Iterable
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest
from ninja import Query
from pydantic import Field

from audit.record import ObjectRef, query_digest, record
from cases.paging import BadCursor
from compliance.platform.models import ApiKey
from compliance.platform.problems import register

Limit = Annotated[int, Query(ge=1, le=100, description="How many at most")]
After = Annotated[str, Query(max_length=400, description="`next` of the page before")]
Expand = Annotated[str, Query(max_length=200, description="Names, parted by commas, of what to show in full")]
Reference = Annotated[str | None, Query(max_length=64, description="Your reference of the account")]
Next = Annotated[str | None, Field(description="The `after` of the next page; none on the last", examples=["kZ3xQ2Vt"])]


class UnknownExpand(Exception):
    """`expand` names something that this operation cannot show in full. One level deep, no further."""

    def __init__(self, unknown: Iterable[str], known: Iterable[str]) -> None:
        super().__init__(f"expand: {', '.join(sorted(unknown))}. Known here: {', '.join(known)}.")


register(UnknownExpand, status=400, code="unknown_expand")
register(BadCursor, status=400, code="bad_cursor", detail="after: take it from `next` of the page before.")


def wanted(expand: str, *known: str) -> set[str]:
    """The names that `expand` asks for. Raises UnknownExpand."""
    asked = {name.strip() for name in expand.split(",") if name.strip()}
    if unknown := asked - set(known):
        raise UnknownExpand(unknown, known)
    return asked


def given(**filters: Any) -> dict[str, Any]:
    """The filters that were asked for."""
    return {name: value for name, value in filters.items() if value is not None}


def note(request: HttpRequest, *, action: str, what: str, rows: int) -> None:
    """One entry for a list, with a digest of what was asked for."""
    details = {"query": query_digest(request.get_full_path()), "rows": rows}
    with transaction.atomic():
        record(action, by=key_of(request), about=ObjectRef("list", what), details=details)


def key_of(request: HttpRequest) -> ApiKey:
    return request.auth  # type: ignore[attr-defined,no-any-return]
