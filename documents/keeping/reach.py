"""Where a customer's data stands, table by table, named as in documents/retention.py: nothing above is imported.

A test compares this with every sealed or indexed column there is, so that a new one cannot be forgotten. Restrictions
and links between persons are not here: they outlive an erasure, to keep an excluded person out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.apps import apps
from django.db.models import Max, Model, QuerySet

from compliance.people.models import Customer


@dataclass(frozen=True, slots=True)
class Reach:
    """`path` leads from a row to the customer's id. `emptied` are columns and what they hold after the erasure, `days`
    those that tell when the record last lived; `live` finds rows of a matter that is not over."""

    path: str
    emptied: Mapping[str, Any] = field(default_factory=dict)
    days: tuple[str, ...] = ()
    live: Mapping[str, Any] = field(default_factory=dict)


TABLES: Final[Mapping[str, Reach]] = {
    "people.Customer": Reach(
        "pk",
        {
            "full_name": "",
            "name_fold": "",
            "birth_date": None,
            "nationality": "",
            "address": "",
            "national_id_sealed": None,
            "national_id_index": None,
        },
        days=("created_at",),
    ),
    "people.Account": Reach(
        "customer",
        {"email_sealed": None, "email_index": None, "phone_sealed": None, "phone_index": None},
        days=("created_at",),
    ),
    "people.RiskFact": Reach("customer", {"details_sealed": None}, days=("recorded_at",)),
    "documents.Document": Reach(
        "customer",
        {"name_sealed": None, "reading_sealed": None, "digest_sealed": None, "digest_index": None, "facts": {}},
        days=("received_at",),
    ),
    "keeping.LegalHold": Reach("customer", {"note_sealed": None}),
    "proposals.Proposal": Reach("key_id", {"note_sealed": None, "inputs_sealed": None, "answer_sealed": None}),
    "cases.Case": Reach("customer", days=("opened_at", "closed_at"), live={"closed_at": None}),
    "cases.Message": Reach("case__customer", {"text_sealed": b""}, days=("written_at",)),
    "cases.Note": Reach("case__customer", {"text_sealed": b""}, days=("written_at",)),
    "contacts.Contact": Reach("case__customer", {"summary_sealed": b""}, days=("contacted_at",)),
    "drafts.Draft": Reach("case__customer", {"text_sealed": b""}),
}

# Sealed columns that an erasure does not empty, and why.
SPARED: Final[Mapping[str, str]] = {
    "documents.Document": "Document.destroy empties what is sealed there, file by file; the index goes at once",
    "platform.IdempotencyRecord": "under the installation's key, and gone after 48 hours",
    "suspicions.SuspicionReport": "under the installation's key: a report outlives the erasure of whom it is about. "
    "What must wait for it waits by a legal hold, which says nothing of the reason",
}


def rows_of(label: str, customer: Customer) -> "QuerySet[Model]":
    found: QuerySet[Model] = apps.get_model(label)._default_manager.filter(**{TABLES[label].path: str(customer.pk)})
    return found


def empty(customer: Customer) -> dict[str, int]:
    """Empty every column of the customer's that holds personal data; how many rows, by table."""
    emptied = {label: reach.emptied for label, reach in TABLES.items() if reach.emptied}
    # The base query set: the tables' own refuse some columns, none of which is a state here.
    return {
        label: count
        for label, values in emptied.items()
        if (count := QuerySet.update(rows_of(label, customer), **values))
    }


def last_day(customer: Customer) -> date:
    """The last day (UTC) on which any record of the customer was made or ended."""
    found = [customer.created_at.date()]
    for label, reach in TABLES.items():
        if reach.days:
            newest = rows_of(label, customer).aggregate(**{day: Max(day) for day in reach.days})
            found += [_day(value) for value in newest.values() if value is not None]
    return max(found)


def open_matters(customer: Customer) -> int:
    return sum(rows_of(label, customer).filter(**reach.live).count() for label, reach in TABLES.items() if reach.live)


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value
