"""Undo for light acts: for ten seconds, by whoever did it, as long as nobody has touched the case since.

An undo is the opposite act, with its own entry: nothing is taken out of the history. What is to be undone travels in a
signed token, so nothing is kept for it. Heavy acts have none: they are proposed, and confirmed by another person.
To add one: its opposite in `OPPOSITES`, and `offer` where it is done.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from audit.perform import ConditionsNotMet, StaleVersion
from cases import services, snooze
from cases.macros import services as macros
from cases.models import Case
from cases.queries import get_case
from cases.tags import services as tags
from cases.tags.models import Tag
from compliance.people.models import User

SHOWN_FOR: Final = timedelta(seconds=10)  # static/css/layout.css hides it then
GRACE: Final = timedelta(seconds=10)  # the page, and the click, take their time
_SALT: Final = "cases.undo"
Facts = Mapping[str, Any]


def offer(act: str, case: Case, *, by: User, **facts: str) -> str:
    """The token that undoes `act` on the case as it is now. `facts` are ids and codes: what was before."""
    assert act in OPPOSITES
    version = Case.objects.values_list("version", flat=True).get(pk=case.pk)
    said = {"act": act, "case": case.number, "by": str(by.pk), "version": version, "facts": facts}
    return signing.dumps(said, salt=_SALT, compress=True)


def undo(token: str, *, by: User) -> Case:
    """Do the opposite; the case. ConditionsNotMet when it is too late, was somebody else's, or cannot be done any more;
    StaleVersion when the case changed since.
    """
    said = _read(token)
    if said is None or said["by"] != str(by.pk):
        raise ConditionsNotMet([_("There is nothing to undo.")])
    if _read(token, within=SHOWN_FOR + GRACE) is None:
        raise ConditionsNotMet([_("Undo is offered for ten seconds only.")])
    case: Case = get_case(said["case"], user=by)
    with transaction.atomic():
        now = services.locked(case)
        if now.version != said["version"]:
            raise StaleVersion(now)
        OPPOSITES[said["act"]](case, said["facts"], by, said["version"])
    return case


def number_of(token: str) -> str:
    """The case that a token of ours is about; "" for any other."""
    said = _read(token)
    return str(said["case"]) if said else ""


def _read(token: str, *, within: timedelta | None = None) -> dict[str, Any] | None:
    try:
        said: dict[str, Any] = signing.loads(token, salt=_SALT, max_age=within)
    except signing.BadSignature:
        return None
    return said


def _assign_back(case: Case, facts: Facts, by: User, version: int) -> None:
    before = User.objects.filter(pk=UUID(facts["to"])).first() if facts["to"] else None
    services.assign(case, to=before, by=by, version=version)


def _sleep_again(case: Case, facts: Facts, by: User, version: int) -> None:
    asked = {"because": facts["because"], "wakes_on": facts["wakes_on"]}
    snooze.snooze(case, until=datetime.fromisoformat(facts["until"]), by=by, version=version, **asked)


def _wake(case: Case, facts: Facts, by: User, version: int) -> None:
    snooze.wake(case, by=by)


def _tag_of(facts: Facts) -> Tag:
    found = Tag.objects.filter(pk=UUID(facts["tag"])).first()
    if found is None:
        raise ConditionsNotMet([_("Choose a tag.")])
    return found


def _take_off(case: Case, facts: Facts, by: User, version: int) -> None:
    tags.take_off(case, _tag_of(facts), by=by)


def _put_on(case: Case, facts: Facts, by: User, version: int) -> None:
    tags.put(case, _tag_of(facts), by=by)


def _take_back(case: Case, facts: Facts, by: User, version: int) -> None:
    macros.take_back(case, facts, by=by)


OPPOSITES: Final[Mapping[str, Callable[[Case, Facts, User, int], None]]] = {
    "assign": _assign_back,
    "snooze": _wake,
    "wake": _sleep_again,
    "tag": _take_off,
    "untag": _put_on,
    "macro": _take_back,
}
