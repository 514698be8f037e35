"""Catching up: what happened, in order, for a platform that was away."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from audit.perform import ConditionsNotMet
from compliance.platform.auth import Key
from compliance.platform.scopes import Scope
from compliance.platform.webhooks.events import as_dict
from compliance.platform.webhooks.models import Event

router = Router(tags=["events"])


class EventOut(Schema):
    """The same as a webhook delivers."""

    id: str = Field(examples=["evt_4b0a3d0c2b5e4f0f8c1d2e3f4a5b6c7d"])
    type: str = Field(examples=["account.gate.changed"])
    timestamp: datetime
    licensee: str = Field(examples=["lale"])
    data: dict[str, Any] = Field(examples=[{"account": "P-88213", "brand": "lale"}])


class EventPage(Schema):
    """`next` is what to hand in as `after` next time; it stays the same while nothing new happened."""

    items: list[EventOut]
    has_more: bool
    next: str | None = Field(examples=["evt_4b0a3d0c2b5e4f0f8c1d2e3f4a5b6c7d"])


@router.get("/events", auth=Key(Scope.EVENTS_READ), response=EventPage, summary="Catch up on events")
def list_events(
    request: HttpRequest,
    after: Annotated[str | None, Query(pattern="^evt_[0-9a-f]{32}$")] = None,
    type: Annotated[str | None, Query(max_length=60)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Any:
    """Events of the last 30 days after the one named, the oldest first; from the oldest without `after`.

    None is left out and none comes twice, however many are added meanwhile. 422 with `after_unknown` when the event
    named is older than 30 days: begin without `after`, and ask for whatever matters to you anew.
    """
    key = request.auth  # type: ignore[attr-defined]
    rows = Event.objects.feed(key.licensee)
    if after is not None:
        seen = Event.objects.filter(licensee=key.licensee, pk=UUID(after.removeprefix("evt_"))).first()
        if seen is None:
            raise AfterUnknown
        rows = rows.filter(position__gt=seen.position)
    if type is not None:
        rows = rows.filter(type=type)
    found = list(rows.order_by("position")[: limit + 1])
    items = [as_dict(event, key.licensee.slug) for event in found[:limit]]
    return {"items": items, "has_more": len(found) > limit, "next": items[-1]["id"] if items else after}


class AfterUnknown(ConditionsNotMet):
    """No such event, or one of more than 30 days ago."""

    def __init__(self) -> None:
        super().__init__(["after: there is no such event of the last 30 days."])
