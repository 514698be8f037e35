"""What the decision panel asks about amounts."""

from typing import Any

from django.template import Library

from cases.types.verification.amounts import showing

register = Library()


@register.simple_tag
def amounts_of(case: Any) -> list[dict[str, Any]]:
    return showing.of(case)
