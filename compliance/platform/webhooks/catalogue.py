"""The events that a platform can be told of. Thin: ids, a type, a moment. What they mean is asked with a key.

To add one: 1. `register(EventType(...))` here or in a module that your AppConfig.ready imports, with a schema and a
sample of its `data`; 2. write an outbox handler that calls `events.emit`; 3. give it its section in
docs/reference/events.md. A name never changes its meaning; a field of `data` is added, never taken away.

No personal data and nothing of AML: an event about an act of the AML side is the one that a routine act causes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TEST: Final = "platform.test"


@dataclass(frozen=True, slots=True)
class EventType:
    """`name` is hierarchical, past tense last; `schema` (JSON Schema) and `sample` are of `data`."""

    name: str
    title: str | Promise
    schema: Mapping[str, Any]
    sample: Mapping[str, Any]


_types: dict[str, EventType] = {}


def register(event: EventType) -> None:
    if event.name in _types:
        raise ValueError(f"The event {event.name} is registered twice")
    if set(event.sample) - set(event.schema["properties"]):
        raise ValueError(f"{event.name}: the sample has fields that the schema lacks")
    _types[event.name] = event


def types() -> Mapping[str, EventType]:
    return dict(_types)


def envelope(event: EventType) -> dict[str, Any]:
    """The JSON Schema of the whole body that is delivered."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": event.name,
        "type": "object",
        "required": ["id", "type", "timestamp", "licensee", "data"],
        "properties": {
            "id": {"type": "string", "pattern": "^evt_[0-9a-f]{32}$"},
            "type": {"const": event.name},
            "timestamp": {"type": "string", "format": "date-time"},
            "licensee": {"type": "string"},
            "data": dict(event.schema),
        },
    }


def _data(**fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": sorted(fields), "properties": fields}


register(
    EventType(
        "account.gate.changed",
        _("What an account may do may have changed: ask the gate"),
        _data(
            account={"type": "string", "description": "Your reference of the account"},
            brand={"type": "string", "description": "The brand it is at"},
        ),
        {"account": "P-88213", "brand": "lale"},
    )
)
register(
    EventType(
        "customer.level.changed",
        _("A player reached another verification level: read the customer"),
        _data(customer={"type": "string", "format": "uuid", "description": "The id that registering gave you"}),
        {"customer": "0e7c1f52-9d0b-4b5e-8a3d-6f0f4f6f2a10"},
    )
)
register(
    EventType(
        TEST,
        _("A test that somebody sent from the page of the endpoint"),
        _data(endpoint={"type": "string", "description": "The endpoint's own id"}),
        {"endpoint": "3f0c8f5e-5a0e-4d3a-9d55-0d4d5c1f7a11"},
    )
)
