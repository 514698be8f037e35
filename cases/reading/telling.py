"""What happens to a case, as events for the operator's platform: which case, of which account. What it says is read.

Only of cases that the platform's key can read, and only what the player learns too: a request for papers that nobody
outside may know the cause of is opened and asked like any other, so it is told like any other.
"""

from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.happenings import Happening, listen
from cases.models import Case
from compliance.platform.webhooks import catalogue
from compliance.platform.webhooks.events import emit

REFUSED: Final = "case.document.refused"
EVENTS: Final = {
    "opened": "case.opened",
    "asked": "case.asked",
    "refused": REFUSED,
    "ended": "case.ended",
    "reopened": "case.reopened",
}
_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "case": {"type": "string", "description": "Its number: read it under /cases/{number}"},
    "account": {"type": "string", "description": "Your reference of the account"},
    "brand": {"type": "string", "description": "The brand it is at"},
}
_SAMPLE: Final = {"case": "KYC-26-004813-9", "account": "P-88213", "brand": "lale"}
_DOCUMENT: Final = {"type": "string", "format": "uuid", "description": "One of /cases/{number}/documents"}


def told(happening: Happening) -> None:
    """Emit the event of what happened, if the platform may know of the case."""
    name = EVENTS.get(happening.what)
    if name is None:
        return
    case = Case.objects.known_outside().select_related("account__brand").filter(pk=happening.case_id).first()
    if case is None:
        return
    data = {"case": case.number, "account": case.account.reference, "brand": case.account.brand.slug}
    if name == REFUSED:
        data["document"] = str(happening.about)
    emit(name, licensee_id=case.licensee_id, data=data)


def _register(name: str, title: str | Promise, fields: dict[str, Any], sample: dict[str, str]) -> None:
    schema = {"type": "object", "required": sorted(fields), "properties": fields}
    catalogue.register(catalogue.EventType(name, title, schema, sample))


_register("case.opened", _("A case was opened: read what it asks for"), _FIELDS, _SAMPLE)
_register("case.asked", _("The player has to bring something: read the case"), _FIELDS, _SAMPLE)
_register(
    REFUSED,
    _("The player learns that a file is not good"),
    _FIELDS | {"document": _DOCUMENT},
    _SAMPLE | {"document": "3f0c8f5e-5a0e-4d3a-9d55-0d4d5c1f7a11"},
)
_register("case.ended", _("A case is finished: read it"), _FIELDS, _SAMPLE)
_register("case.reopened", _("A finished case goes on: read it"), _FIELDS, _SAMPLE)
listen(told)
