"""What a report says, field by field, and what is still missing. Kept sealed as one JSON object."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.types.monitoring.models import Investigation
from cases.types.monitoring.reports.profiles import NARRATIVE, Version
from compliance.people.models import Account
from compliance.people.services import known_of

PARTS: Final[Mapping[str, str | Promise]] = {
    "who": _("Who"),
    "what": _("What"),
    "when": _("When"),
    "where": _("Where"),
    "why": _("Why it is suspicious"),
    "how": _("How it was done"),
}
SUBJECT: Final[Mapping[str, str | Promise]] = {
    "full_name": _("Full name"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "birth_date": _("Date of birth"),
    "nationality": _("Nationality"),
    "residence": _("Country of residence"),
    "national_id": _("National id"),
    "address": _("Address"),
    "occupation": _("Occupation"),
    "account": _("Player number"),
    "phone": _("Phone"),
}
LABELS: Final[Mapping[str, str | Promise]] = {
    **{f"narrative.{part}": label for part, label in PARTS.items()},
    **{f"subject.{name}": label for name, label in SUBJECT.items()},
    "entity.rentity_id": _("Number of the reporting entity"),
    "indicators": _("Indicators"),
}


@dataclass(frozen=True, slots=True)
class Content:
    """`narrative` by part, `subject` by field (dates as year-month-day), `entity` what the authority calls us.

    `transactions` are ids of transactions that belong to it; `action` is what was done; `asked` the authority's own
    reference where this answers a question.
    """

    narrative: Mapping[str, str] = field(default_factory=dict)
    subject: Mapping[str, str] = field(default_factory=dict)
    entity: Mapping[str, str] = field(default_factory=dict)
    indicators: tuple[str, ...] = ()
    transactions: tuple[str, ...] = ()
    action: str = ""
    asked: str = ""

    def dumped(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def loaded(cls, text: str) -> Self:
        """Fields that a later version no longer knows are left out."""
        data: dict[str, Any] = json.loads(text)
        known = {one.name for one in fields(cls)}
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items() if name in known
        }
        return cls(**given)

    def value(self, path: str) -> str:
        """What stands at a path such as subject.full_name; "" where nothing does."""
        if path == "indicators":
            return ", ".join(self.indicators)
        part, _dot, name = path.partition(".")
        return str(getattr(self, part).get(name, "")).strip()


def missing(content: Content, version: Version) -> list[str]:
    """Paths that the authority asks for and that are empty, in its order."""
    return [path for path in version.required if not content.value(path)]


def prefilled(investigation: Investigation) -> Content:
    """What is known already. National id and phone are opened for the report only; that they were is an entry
    (reports.draft).
    """
    customer = investigation.customer
    account = Account.objects.filter(customer=customer, released_at=None).order_by("created_at").first()
    first, _space, last = customer.full_name.rpartition(" ")
    subject = {
        "full_name": customer.full_name,
        "first_name": first,
        "last_name": last,
        "birth_date": customer.birth_date.isoformat() if customer.birth_date else "",
        "nationality": customer.nationality,
        "national_id": known_of(customer, "national_id"),
        "address": customer.address,
        "account": account.reference if account else "",
        "phone": known_of(account, "phone") if account else "",
    }
    return Content(narrative=dict.fromkeys(NARRATIVE, ""), subject=subject)
