"""What the decision panel asks about a verification."""

from typing import Any

from django.template import Library

from cases.types.verification import endings
from cases.types.verification.rules import what_is_missing
from cases.types.verification.services import needs_two

register = Library()


@register.simple_tag
def missing_of(case: Any) -> list[str]:
    return what_is_missing(case)


@register.simple_tag
def answer_due_of(case: Any) -> Any:
    """Until when the player may answer; None while nothing is waited for."""
    return case.verification_facts.answer_due_at if case.state == "waiting" else None


@register.simple_tag
def script_of(case: Any) -> Any:
    return endings.script_of(case)


@register.simple_tag
def need_of(case: Any, act: str) -> Any:
    return needs_two(case, act)
