"""What a reason is found by."""

from django.template import Library

from cases.texts import Reason

register = Library()


@register.filter
def words(reason: Reason) -> str:
    """Its code, and what it is called in every language."""
    return f"{reason.code} {reason.title.en} {reason.title.tr}"
