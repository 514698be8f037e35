"""What the decision panel asks about a verification."""

from typing import Any

from django.template import Library

from cases.types.verification.rules import what_is_missing
from cases.types.verification.services import needs_two

register = Library()


@register.simple_tag
def missing_of(case: Any) -> list[str]:
    return what_is_missing(case)


@register.simple_tag
def need_of(case: Any, act: str) -> Any:
    return needs_two(case, act)
