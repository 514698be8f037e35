"""The question why somebody looks, for the page that an exception answers with."""

from typing import Any

from django.template import Library

from cases.looking.forms import WhyForm

register = Library()


@register.simple_tag
def why_form(form: Any = None) -> WhyForm:
    """The form with its mistakes, or a new one."""
    return form if isinstance(form, WhyForm) else WhyForm()
