"""Addresses of narrower lists."""

from typing import Any

from django.template import Library

from cases.lists import Asked

register = Library()


@register.simple_tag
def narrowed(asked: Asked, **changes: Any) -> str:
    """The address of this list with a filter more: {% narrowed asked state="open" %}."""
    return asked.address(**{name: str(value) for name, value in changes.items()})
