"""Priority: rules may only raise it, each once; a person may lower it and says why.

To add a rule: `register(Rule(...))` in a module that your AppConfig.ready() imports. A rule that raised a case does not
raise it again: what a person lowered stays lowered.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit import names
from audit.actors import Acts, system
from audit.perform import ConditionsNotMet, StaleVersion
from audit.record import record
from cases.happenings import tell
from cases.models import PRIORITIES, Case
from cases.permissions import WORK
from cases.services import locked, require

NORMAL, RAISED, HIGH, URGENT = range(4)
CODES: Final = ("normal", "raised", "high", "urgent")
BATCH: Final = 500
LOWERED_BECAUSE: Final[Mapping[str, str | Promise]] = {
    "looked_into": gettext_lazy("Looked into: it is less urgent than the rule says"),
    "raised_by_mistake": gettext_lazy("It was raised by mistake"),
    "cause_gone": gettext_lazy("What made it urgent is settled"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """`applies()` chooses among open cases; the query is made anew each time, so it may look at the clock."""

    code: str
    title: str | Promise
    level: int
    applies: Callable[[], Q]


_rules: dict[str, Rule] = {}


def register(*given: Rule) -> None:
    for rule in given:
        if rule.code in _rules:
            raise ValueError(f"The rule {rule.code} is registered twice")
        _rules[rule.code] = rule


def rules() -> Mapping[str, Rule]:
    return dict(_rules)


@transaction.atomic
def set_priority(
    case: Case, level: int, *, by: Acts, because: str = "", version: int | None = None, batch: str = ""
) -> Case:
    """A person raises it freely and lowers it with a reason. The same level again changes nothing."""
    require(WORK, case, by=by, action="cases.set_priority")
    case = locked(case)
    if version is not None and version != case.version:
        raise StaleVersion(case)
    if wrong := unmet(case, level=level, because=because):
        raise ConditionsNotMet(wrong)
    if level != case.priority:
        before, case.priority = case.priority, level
        case.version += 1
        case.save(update_fields=["priority", "version"])
        details = {"urgency": CODES[level]} | ({"batch": batch} if batch else {})
        record(
            "cases.set_priority",
            by=by,
            about=case,
            reason=because or None,
            changes={"priority": (before, level)},
            details=details,
        )
    return case


def unmet(case: Case, *, level: int, because: str = "") -> list[str]:
    """Why a person cannot give this priority so, in words."""
    if level not in dict(PRIORITIES):
        return [_("Choose a priority.")]
    if case.closed_at is not None or case.merged_into_id is not None:
        return [_("This case is finished.")]
    if level < case.priority and because not in LOWERED_BECAUSE:
        return [_("Say why the priority may be lower.")]
    return []


def apply_rules() -> int:
    """Raise what a rule chooses and did not raise before. How many cases were raised."""
    return sum(_apply(rule) for rule in sorted(_rules.values(), key=lambda rule: -rule.level))


def _apply(rule: Rule) -> int:
    chosen = Case.objects.open().filter(rule.applies(), priority__lt=rule.level)
    chosen = chosen.exclude(raised_by__contains=[rule.code]).order_by("due_at", "id")
    return sum(_raise(pk, rule) for pk in list(chosen.values_list("pk", flat=True).distinct()[:BATCH]))


@transaction.atomic
def _raise(pk: Any, rule: Rule) -> bool:
    case = Case.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
    if case is None or case.priority >= rule.level or rule.code in case.raised_by:
        return False
    before, case.priority = case.priority, rule.level
    case.raised_by = [*case.raised_by, rule.code]
    case.save(update_fields=["priority", "raised_by"])
    details = {"urgency": CODES[rule.level], "priority_rule": rule.code}
    record("cases.raise_priority", by=system(), about=case, changes={"priority": (before, rule.level)}, details=details)
    tell(case, "raised", by=system())
    return True


def _levels(codes: Iterable[str]) -> dict[str, str]:
    words = dict(zip(CODES, (str(word) for _level, word in PRIORITIES), strict=True))
    return {code: words[code] for code in codes if code in words}


def _titles(codes: Iterable[str]) -> dict[str, str]:
    return {code: str(_rules[code].title) for code in codes if code in _rules}


names.register("urgency", _levels)
names.register("priority_rule", _titles)
