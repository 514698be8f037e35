"""Where a customer's data stands, table by table, named as in documents/retention.py: nothing above is imported.

A test compares this with every sealed or indexed column there is, so that a new one cannot be forgotten. Restrictions
and links between persons are not here: they outlive an erasure, to keep an excluded person out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.apps import apps
from django.db.models import F, Func, Max, Model, QuerySet, Value

from compliance.people.models import Customer


@dataclass(frozen=True, slots=True)
class Reach:
    """`path` leads from a row to the customer's id. `emptied` are columns and what they hold after the erasure, `days`
    those that tell when the record last lived; `live` finds rows of a matter that is not over. A table of the AML side
    (`aml`), and of a table with a `log` those rows that are in another than the main one, are emptied in silence: no
    certificate, entry or day of a period may tell that there were any."""

    path: str
    emptied: Mapping[str, Any] = field(default_factory=dict)
    days: tuple[str, ...] = ()
    live: Mapping[str, Any] = field(default_factory=dict)
    aml: bool = False
    log: str = ""


# `residence:IR` says where somebody lived; `residence:` that it was known.
WITHOUT_COUNTRY: Final = Func(F("code"), Value(":.*$"), Value(":"), function="regexp_replace")

TABLES: Final[Mapping[str, Reach]] = {
    "people.Customer": Reach(
        "pk",
        {
            "full_name": "",
            "name_fold": "",
            "name_latin": "",
            "birth_date": None,
            "nationality": "",
            "address": "",
            "national_id_sealed": None,
            "national_id_index": None,
            "national_id_tail_index": None,
        },
        days=("created_at",),
    ),
    "people.Account": Reach(
        "customer",
        {"email_sealed": None, "email_index": None, "phone_sealed": None, "phone_index": None},
        days=("created_at",),
    ),
    "people.RiskFact": Reach(
        "customer", {"details_sealed": None, "code": WITHOUT_COUNTRY}, days=("recorded_at",), log="log"
    ),
    "sameness.Trait": Reach("customer", {"digest_index": None}),
    "risk.Assessment": Reach("customer", {"parts_sealed": None}, days=("assessed_at",)),
    "risk.Override": Reach("customer", {"note_sealed": None}),
    "documents.Document": Reach(
        "customer",
        {
            "name_sealed": None,
            "reading_sealed": None,
            "number_tail_index": None,
            "digest_sealed": None,
            "digest_index": None,
            "facts": {},
        },
        days=("received_at",),
    ),
    "documents.PartialUpload": Reach("customer", {"name_sealed": None, "key_wrapped": None}),
    "keeping.LegalHold": Reach("customer", {"note_sealed": None}),
    "proposals.Proposal": Reach(
        "key_id", {"note_sealed": None, "inputs_sealed": None, "answer_sealed": None}, log="log"
    ),
    "cases.Case": Reach("customer", days=("opened_at", "closed_at"), live={"closed_at": None}),
    "cases.Message": Reach("case__customer", {"text_sealed": b""}, days=("written_at",)),
    "cases.Note": Reach("case__customer", {"text_sealed": b""}, days=("written_at",)),
    "former.FormerNumber": Reach("case__customer", {"note_sealed": None}),
    "corrections.Correction": Reach("case__customer", {"text_sealed": None}, days=("corrected_at",)),
    "quality.SecondLook": Reach("case__customer", {"note_sealed": None}),
    "glass.Opening": Reach("case__customer", {"note_sealed": b"", "review_sealed": None}),
    "gaming.GamingFacts": Reach("case__customer", {"words_sealed": None, "reckoning": {}}),
    "gaming.Interaction": Reach("case__customer", {"note_sealed": None, "signs": [], "advice": []}),
    "markers.Score": Reach("customer", {"reckoned_sealed": b"", "value": 0}),
    "markers.CareAction": Reach(
        "customer",
        {"reckoned_sealed": b"", "limits_sealed": None, "note_sealed": None, "rule": "", "score": 0, "why": ""},
    ),
    "contacts.Contact": Reach("case__customer", {"summary_sealed": b""}, days=("contacted_at",)),
    "drafts.Draft": Reach("case__customer", {"text_sealed": b""}),
    "mail.Letter": Reach("customer", {"content_sealed": b""}, days=("arrived_at",)),
    "transactions.PaymentInstrument": Reach("customer", {"holder_sealed": None, "tail": ""}),
    "transactions.CustomerState": Reach("customer", days=("last_at",)),
    "monitoring_rules.Snooze": Reach("customer", {"note_sealed": None}, aml=True),
    "mail.LetterFile": Reach("letter__customer", {"name_sealed": b"", "data_sealed": None}),
}

_OF_THE_AML_SIDE = "under the installation's key: what the law asks to keep of a suspicion outlives the erasure"
# Sealed columns that an erasure does not empty, and why.
SPARED: Final[Mapping[str, str]] = {
    "looking.Fact": "what a supervisor found about a member of staff, under the key of that person",
    "documents.Document": "Document.destroy empties what is sealed there, file by file; the index goes at once",
    "bulk.Batch": "a note on its way to many cases, under its writer's key, and gone when the batch ends",
    "platform.ApiKey": "what a platform signs its requests with, under the installation's key",
    "platform.IdempotencyRecord": "under the installation's key, and gone after 48 hours",
    "inbound.Sender": "a secret shared with a vendor, under the installation's key",
    "inbound.Message": "under the installation's key, and empty as soon as it was worked on",
    "webhooks.Endpoint": "a secret shared with a platform, under the installation's key",
    "webhooks.Attempt": "what a receiver answered, under the installation's key, and gone after 30 days",
    "monitoring.Investigation": _OF_THE_AML_SIDE,
    "monitoring.Hypothesis": _OF_THE_AML_SIDE,
    "monitoring.Exhibit": _OF_THE_AML_SIDE,
    "monitoring.Note": _OF_THE_AML_SIDE,
    "reports.Report": _OF_THE_AML_SIDE,
    "suspicions.SuspicionReport": "under the installation's key: a report outlives the erasure of whom it is about. "
    "What must wait for it waits by a legal hold, which says nothing of the reason",
}


def rows_of(label: str, customer: Customer) -> "QuerySet[Model]":
    found: QuerySet[Model] = apps.get_model(label)._default_manager.filter(**{TABLES[label].path: str(customer.pk)})
    return found


def empty(customer: Customer) -> dict[str, int]:
    """Empty every column of the customer's that holds personal data; how many rows, by table, without the AML side."""
    counted: dict[str, int] = {}
    for label, reach in TABLES.items():
        if reach.emptied:
            counted[label] = told(label, customer).count()
            # The base query set: the tables' own refuse some columns, none of which is a state here.
            QuerySet.update(rows_of(label, customer), **reach.emptied)
    return {label: count for label, count in counted.items() if count}


def told(label: str, customer: Customer) -> "QuerySet[Model]":
    """The rows that the main log may know of."""
    rows, reach = rows_of(label, customer), TABLES[label]
    if reach.aml:
        return rows.none()
    return rows.filter(**{reach.log: "main"}) if reach.log else rows


def last_day(customer: Customer) -> date:
    """The last day (UTC) on which any record of the customer was made or ended."""
    found = [customer.created_at.date()]
    for label, reach in TABLES.items():
        if reach.days:
            newest = told(label, customer).aggregate(**{day: Max(day) for day in reach.days})
            found += [_day(value) for value in newest.values() if value is not None]
    return max(found)


def open_matters(customer: Customer) -> int:
    return sum(rows_of(label, customer).filter(**reach.live).count() for label, reach in TABLES.items() if reach.live)


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value
