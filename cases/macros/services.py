"""Macros: saved, shown in words before they run, run in one transaction, taken back like any light act.

A macro holds nothing but what `LIGHT` names. What two persons decide is refused by its name, when a macro is saved and
again when it is used, so that a row written some other way does nothing either. A message is prepared, never sent: it
stands in the composer as a draft of whoever used the macro.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language_info, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from audit.actors import SubjectRef
from audit.cards import without_cards
from audit.perform import ConditionsNotMet, StaleVersion
from audit.record import record
from cases import services, snooze
from cases.bulk.acts import ACTS
from cases.drafts import services as drafts
from cases.macros.models import Macro
from cases.mail.writing import LONGEST_LINE, own_line
from cases.models import Case
from cases.permissions import WORK
from cases.tags.models import Tag
from cases.tags.services import licensees_of
from cases.tags.services import unmet as tag_unmet
from compliance.people.models import Team, User
from compliance.proposals import acts

LONGEST_NAME: Final = 40
LONGEST_NOTE: Final = 2000
MOST: Final = 50  # of one person; a longer list is read by nobody
Step = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Light:
    """One act that a macro may hold. `clean` checks a step when it is saved (ValidationError), `words` tells what it
    will do to this case, `same` that it is so already, `unmet` why it cannot be done; `run` does it.
    """

    title: str | Promise
    clean: Callable[[Step, User], None]
    words: Callable[[Case, Step], str]
    unmet: Callable[[Case, Step, User], list[str]]
    run: Callable[[Case, Step, User, str], None]
    same: Callable[[Case, Step], bool] = lambda case, step: False


@dataclass(frozen=True, slots=True)
class Planned:
    """One act of a macro on one case, in words. `done`: it is so already, and nothing happens."""

    act: str
    words: str
    wrong: Sequence[str] = ()
    done: bool = False


# ----------------------------------------------------------------------------------------------------- the light acts
def _clean_note(step: Step, by: User) -> None:
    if not 0 < len(str(step.get("text", "")).strip()) <= LONGEST_NOTE:
        raise ValidationError({"note": _("Write a note of at most %(n)s characters.") % {"n": LONGEST_NOTE}})


def _write_note(case: Case, step: Step, by: User, batch: str) -> None:
    services.write_note(case, by=by, text=step["text"], batch=batch)


def _clean_tag(step: Step, by: User) -> None:
    tag = Tag.objects.filter(pk=str(step.get("tag", "")), retired_at=None, licensee__in=licensees_of(by)).first()
    if tag is None:
        raise ValidationError({"tag": _("Choose a tag.")})


def _tag(step: Step) -> Tag | None:
    return Tag.objects.filter(pk=step["tag"]).first()


def _tag_words(case: Case, step: Step) -> str:
    tag = _tag(step)
    return _("Put the tag “%(tag)s” on.") % {"tag": tag.name if tag else "–"}


def _tag_unmet(case: Case, step: Step, by: User) -> list[str]:
    tag = _tag(step)
    return tag_unmet(case, tag) if tag else [_("Choose a tag.")]


def _is_tagged(case: Case, step: Step) -> bool:
    return case.tagged.filter(tag_id=step["tag"]).exists()


def _put_tag(case: Case, step: Step, by: User, batch: str) -> None:
    ACTS["tag"].run(case, {"tag": _tag(step)}, by=by, version=case.version, batch=batch)


def _clean_message(step: Step, by: User) -> None:
    try:
        text = own_line(str(step.get("text", "")), longest=LONGEST_LINE)
    except ConditionsNotMet as unmet:
        raise ValidationError({"message": unmet.reasons}) from None
    if not text:
        raise ValidationError({"message": _("Write what the player should read.")})


def _message_words(case: Case, step: Step) -> str:
    said = {"language": get_language_info(step["language"])["name_translated"], "text": step["text"]}
    return _("Prepare a message to the player, in %(language)s. You read it before it is sent: %(text)s") % said


def _message_unmet(case: Case, step: Step, by: User) -> list[str]:
    if case.account.language != step["language"]:
        return [_("The player reads another language: write to them by hand.")]
    typed = drafts.text_of(case, "message", user=by).strip()
    if typed and typed != step["text"].strip():
        return [_("You are writing to this player already. Send it, or clear it first.")]
    return []


def _draft_message(case: Case, step: Step, by: User, batch: str) -> None:
    drafts.keep(case, "message", step["text"], by=by)


def _clean_snooze(step: Step, by: User) -> None:
    days = step.get("days")
    if not isinstance(days, int) or not 0 < days <= snooze.LONGEST.days:
        raise ValidationError({"days": _("Choose a time within the next 60 days.")})
    if step.get("because") not in snooze.REASONS:
        raise ValidationError({"because": _("Choose a reason.")})


def _snooze_inputs(step: Step) -> dict[str, Any]:
    until = timezone.now() + timedelta(days=step["days"])
    return {"until": until, "because": step["because"], "wakes_on": snooze.PLAYER}


def _snooze_words(case: Case, step: Step) -> str:
    words = ngettext(
        "Snooze for %(n)s day, or until the player answers: %(why)s.",
        "Snooze for %(n)s days, or until the player answers: %(why)s.",
        step["days"],
    )
    return words % {"n": step["days"], "why": snooze.REASONS[step["because"]]}


def _snooze_unmet(case: Case, step: Step, by: User) -> list[str]:
    if case.sleeps:  # taken back, it would be awake, not asleep for as long as before
        return [_("This case is snoozed already. Bring it back first.")]
    return snooze.unmet(case, now=timezone.now(), **_snooze_inputs(step))


def _sleep(case: Case, step: Step, by: User, batch: str) -> None:
    snooze.snooze(case, by=by, batch=batch, **_snooze_inputs(step))


# All that a macro may hold, in the order in which it is done. To add one: light, of one person, and to be taken back.
LIGHT: Final[Mapping[str, Light]] = {
    "note": Light(
        gettext_lazy("Write a note"),
        _clean_note,
        lambda case, step: _("Write a note, which stays: %(text)s") % {"text": step["text"]},
        lambda case, step, by: [],
        _write_note,
    ),
    "tag": Light(gettext_lazy("Put a tag on"), _clean_tag, _tag_words, _tag_unmet, _put_tag, _is_tagged),
    "message": Light(
        gettext_lazy("Prepare a message to the player"), _clean_message, _message_words, _message_unmet, _draft_message
    ),
    "snooze": Light(gettext_lazy("Snooze"), _clean_snooze, _snooze_words, _snooze_unmet, _sleep),
}


def not_light(steps: Sequence[Step]) -> list[str]:
    """Why these are no steps of a macro, in words: what two persons decide, and what is no act at all."""
    heavy, wrong = acts.acts(), []
    for name in (str(step.get("act", "")) for step in steps):
        if name in heavy:
            said = {"act": heavy[name].title}
            wrong.append(_("“%(act)s” is decided by two persons: it is never part of a macro.") % said)
        elif name not in LIGHT:
            wrong.append(_("A macro cannot do this: %(act)s.") % {"act": name or "–"})
    return wrong


# ------------------------------------------------------------------------------------------------------ saved, removed
@transaction.atomic
def save(name: str, steps: Sequence[Step], *, by: User, team: Team | None = None) -> Macro:
    """Keep a macro under a name; the same name again replaces it. ValidationError by field for what cannot be."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise ValidationError({"name": _("Give the macro a name of at most 40 letters.")})
    if sum(letter.isdigit() for letter in name) > 4 or "@" in name:
        raise ValidationError({"name": _("A macro names a kind of matter, never a person, a number or an address.")})
    if team is not None and not team.memberships.filter(user=by).exists():
        raise ValidationError({"team": _("You can share with your own teams only.")})
    if not steps:
        raise ValidationError(_("Choose at least one thing that the macro does."))
    if wrong := not_light(steps):
        raise ValidationError(wrong)
    kept = sorted((_without_cards(step) for step in steps), key=lambda step: list(LIGHT).index(step["act"]))
    for step in kept:
        LIGHT[step["act"]].clean(step, by)
    if Macro.objects.filter(owner=by).exclude(name=name).count() >= MOST:
        raise ValidationError(_("You have many macros. Remove one that you do not use."))
    macro, _made = Macro.objects.update_or_create(owner=by, name=name, defaults={"steps": kept, "team": team})
    details = {"name": name, "acts": [step["act"] for step in kept], "team": team.slug if team else ""}
    record("macros.save", by=by, about=macro, subject=_of(by), details=details)
    return macro


@transaction.atomic
def drop(macro: Macro, *, by: User) -> None:
    """Remove one of their own."""
    record("macros.drop", by=by, about=macro, subject=_of(by), details={"name": macro.name})
    macro.delete()


def _without_cards(step: Step) -> dict[str, Any]:
    return {name: without_cards(value) if name == "text" else value for name, value in step.items()}


def _of(user: User) -> SubjectRef:
    return SubjectRef("staff", str(user.pk))


# ----------------------------------------------------------------------------------------------------------- on a case
def plan(macro: Macro, case: Case, *, by: User) -> list[Planned]:
    """What it will do to this case, in its order. ConditionsNotMet where it holds what no macro may."""
    if wrong := not_light(macro.steps):
        raise ConditionsNotMet(wrong)
    found = []
    for step in macro.steps:
        light = LIGHT[step["act"]]
        done = light.same(case, step)
        wrong = [] if done else light.unmet(case, step, by)
        found.append(Planned(step["act"], light.words(case, step), tuple(wrong), done))
    return found


def digest_of(macro: Macro) -> str:
    """Of what it holds: whoever looked at it says with this what they saw, since its owner may save it anew."""
    return sha256(json.dumps(macro.steps, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def use(macro: Macro, case: Case, *, by: User, version: int | None, shown: str) -> dict[str, str]:
    """Do all of it, or nothing. What `take_back` needs: ids and codes.

    `version` of the case and `shown`, the `digest_of` the macro, are those that were looked at. StaleVersion when one
    of them is not given or not so any more; ConditionsNotMet with every reason against it.
    """
    services.require(WORK, case, by=by, action="macros.use")
    case = services.locked(case)
    if version != case.version:
        raise StaleVersion(case)
    if shown != digest_of(macro):
        raise StaleVersion(macro)
    planned = plan(macro, case, by=by)
    if case.closed_at is not None or case.merged_into_id is not None:
        raise ConditionsNotMet([_("This case is finished.")])
    if wrong := [reason for each in planned for reason in each.wrong]:
        raise ConditionsNotMet(wrong)
    batch, doing = str(uuid4()), [step for step, each in zip(macro.steps, planned, strict=True) if not each.done]
    details = {"name": macro.name, "acts": [step["act"] for step in doing], "batch": batch}
    record("macros.use", by=by, about=case, details=details)
    for step in doing:
        LIGHT[step["act"]].run(case, step, by, batch)
    did = {step["act"]: step for step in doing}
    drafted = drafts.mark_of(case, "message", user=by) if "message" in did else ""
    return {
        "tag": did["tag"]["tag"] if "tag" in did else "",
        "slept": "1" if "snooze" in did else "",
        "drafted": drafted,
    }


def take_back(case: Case, facts: Mapping[str, Any], *, by: User) -> None:
    """What a macro did, undone: a note stays, and so does a message that somebody went on writing."""
    if facts["slept"]:
        snooze.wake(case, by=by)
    tag = Tag.objects.filter(pk=UUID(facts["tag"])).first() if facts["tag"] else None
    if tag is not None:
        ACTS["untag"].run(case, {"tag": tag}, by=by, version=case.version, batch="")
    if facts["drafted"] and drafts.mark_of(case, "message", user=by) == facts["drafted"]:
        drafts.drop(case, "message", by=by)
