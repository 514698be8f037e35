"""The acts that are offered for many cases at once: light ones, that one person may do and anybody can undo.

Heavy acts are not here: those that are offered become proposals one by one (heavy.py), the others are refused.
To add an act: a light one of the engine that takes `batch=`, and its line in ACTS.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import priority, services, snooze
from cases.models import Case
from cases.relations import services as relations
from cases.tags import services as tags
from cases.tags.models import Tag
from compliance.people.models import User

Inputs = Mapping[str, Any]  # as a form of `forms.py` cleaned them: users, tags, moments


@dataclass(frozen=True, slots=True)
class Act:
    """`same` says that nothing would change; `unmet` why it cannot be done, in words; `run` does it. Who may work on
    the case is asked before. `versioned`: a case that changed since it was looked at is refused.
    """

    name: str
    title: str | Promise
    same: Callable[[Case, Inputs], bool]
    unmet: Callable[[Case, Inputs, User], list[str]]
    run: Callable[..., Any]
    versioned: bool = True


def _assign_unmet(case: Case, inputs: Inputs, by: User) -> list[str]:
    if case.closed_at is not None:
        return [_("This case is finished.")]
    return services.cannot_have(case, inputs["to"], by=by)


def _assign(case: Case, inputs: Inputs, *, by: User, version: int, batch: str) -> None:
    services.assign(case, to=inputs["to"], by=by, version=version, batch=batch)


def _release(case: Case, inputs: Inputs, *, by: User, version: int, batch: str) -> None:
    services.assign(case, to=None, by=by, version=version, batch=batch)


def _tag(case: Case, inputs: Inputs, *, by: User, version: int, batch: str) -> None:
    tags.put(case, inputs["tag"], by=by, batch=batch)


def _untag(case: Case, inputs: Inputs, *, by: User, version: int, batch: str) -> None:
    tags.take_off(case, inputs["tag"], by=by, batch=batch)


def _has(case: Case, inputs: Inputs) -> bool:
    return any(each.tag_id == inputs["tag"].pk for each in case.tagged.all())


def _snooze(case: Case, inputs: Inputs, *, by: User, version: int, batch: str) -> None:
    snooze.snooze(case, by=by, version=version, batch=batch, **_sleep(inputs))


def _snooze_unmet(case: Case, inputs: Inputs, by: User) -> list[str]:
    return snooze.unmet(case, now=timezone.now(), **_sleep(inputs))


def _sleep(inputs: Inputs) -> dict[str, Any]:
    return {name: inputs[name] for name in ("until", "because", "wakes_on")}


def _prioritise(case: Case, inputs: Inputs, *, by: User, version: int, batch: str) -> None:
    priority.set_priority(case, inputs["level"], by=by, because=inputs["because"], version=version, batch=batch)


def _priority_unmet(case: Case, inputs: Inputs, by: User) -> list[str]:
    return priority.unmet(case, level=inputs["level"], because=inputs["because"])


def _note(case: Case, inputs: Inputs, *, by: User, version: int, batch: str) -> None:
    services.write_note(case, by=by, text=inputs["text"], batch=batch)


def _has_level(case: Case, inputs: Inputs) -> bool:
    return bool(case.priority == inputs["level"])


def _has_not(case: Case, inputs: Inputs) -> bool:
    return not _has(case, inputs)


def _tag_unmet(case: Case, inputs: Inputs, by: User) -> list[str]:
    return tags.unmet(case, inputs["tag"])


def _is_theirs(case: Case, inputs: Inputs) -> bool:
    return bool(case.assignee_id == inputs["to"].pk)


def _is_free(case: Case, inputs: Inputs) -> bool:
    return case.assignee_id is None


def _watch(case: Case, inputs: Inputs, *, by: User, version: int, batch: str) -> None:
    relations.watch(case, by=by, batch=batch)


def _unwatch(case: Case, inputs: Inputs, *, by: User, version: int, batch: str) -> None:
    relations.unwatch(case, by=by, batch=batch)


def _watch_unmet(case: Case, inputs: Inputs, by: User) -> list[str]:
    return [_("You follow it already.")] if _follows(case, by) else []


def _unwatch_unmet(case: Case, inputs: Inputs, by: User) -> list[str]:
    return [] if _follows(case, by) else [_("You do not follow it.")]


def _follows(case: Case, by: User) -> bool:
    return any(each.user_id == by.pk for each in case.watchers.all())


def _never(case: Case, inputs: Inputs) -> bool:
    return False


def _nothing(case: Case, inputs: Inputs, by: User) -> list[str]:
    return []


ACTS: Final[Mapping[str, Act]] = {
    act.name: act
    for act in (
        Act("assign", gettext_lazy("Give to somebody"), _is_theirs, _assign_unmet, _assign),
        Act("release", gettext_lazy("Give back to the team"), _is_free, _nothing, _release),
        Act("priority", gettext_lazy("Change the priority"), _has_level, _priority_unmet, _prioritise),
        Act("snooze", gettext_lazy("Snooze"), _never, _snooze_unmet, _snooze),
        Act("tag", gettext_lazy("Put a tag on"), _has, _tag_unmet, _tag, versioned=False),
        Act("untag", gettext_lazy("Take a tag off"), _has_not, _nothing, _untag, versioned=False),
        Act("watch", gettext_lazy("Follow"), _never, _watch_unmet, _watch, versioned=False),
        Act("unwatch", gettext_lazy("Stop following"), _never, _unwatch_unmet, _unwatch, versioned=False),
        Act("note", gettext_lazy("Write a note"), _never, _nothing, _note, versioned=False),
    )
}


def plain(inputs: Inputs) -> dict[str, Any]:
    """The inputs as ids and codes, to be kept; the text of a note is kept apart, sealed."""
    kept: dict[str, Any] = {}
    for name, value in inputs.items():
        if name == "text":
            continue
        if isinstance(value, User | Tag):
            kept[name] = str(value.pk)
        else:
            kept[name] = value.isoformat() if isinstance(value, datetime) else value
    return kept


def loaded(kept: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The inputs again, from what `plain` kept."""
    inputs: dict[str, Any] = dict(kept) | ({"text": text} if text else {})
    if "to" in kept:
        inputs["to"] = User.objects.get(pk=UUID(kept["to"]))
    if "tag" in kept:
        inputs["tag"] = Tag.objects.get(pk=UUID(kept["tag"]))
    if "until" in kept:
        inputs["until"] = datetime.fromisoformat(kept["until"])
    return inputs
