"""The bar about one matter, as components/_idbar.html takes it."""

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from cases.kinds import Step
from cases.models import Case
from compliance.look import ltr, when


def bar_of(case: Case, *, proposed: bool) -> dict[str, Any]:
    """{state, facts}: how the case stands, until when, and whose it is."""
    facts: list[dict[str, Any]] = [_clock(case)]
    facts += [
        {"label": _("Risk"), "value": case.customer.get_risk_display()},
        {"label": _("Responsible"), "value": _name(case.assignee.name) if case.assignee else _("nobody yet")},
        {"label": _("Player"), "value": ltr(case.account.reference)},
        {"label": _("Language"), "value": get_language_info(case.account.language)["name_translated"]},
        {"label": _("Brand"), "value": _name(case.account.brand.name)},
    ]
    return {"state": case.outcome or ("proposed" if proposed else case.state), "facts": facts}


def actions_of(steps: Sequence[Step]) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The primary action, which Enter does and the keyboard starts at, or None; and the others but the rare ones."""
    primary = next((step for step in steps if step.primary), None)
    others = [_action(step) for step in steps if step is not primary and not step.rare]
    return (_action(primary) | {"style": "primary", "key": "Enter", "start": True} if primary else None), others


def rare_of(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """What stands behind "More"."""
    return [_action(step) for step in steps if step.rare]


def _action(step: Step) -> dict[str, Any]:
    return {"label": step.label, "url": step.url, "icon": step.icon, "method": "post" if step.post else "get"}


def _clock(case: Case) -> dict[str, Any]:
    if case.closed_at:
        return {"label": _("Finished"), "value": when(case.closed_at)}
    return {"label": _("Due"), "due": case.due_at, "since": case.opened_at, "paused": bool(case.waiting_for)}


def _name(name: str) -> Any:
    return format_html("<bdi>{}</bdi>", name)
