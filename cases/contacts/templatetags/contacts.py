"""The contact panel of the case page."""

from typing import Any

from django.template import Library

from cases.contacts import callers
from cases.contacts.forms import ContactForm
from cases.contacts.models import Task
from cases.drafts import services as drafts
from cases.models import Case

register = Library()


@register.inclusion_tag("contacts/_panel.html", takes_context=True)
def contact_panel(context: Any, case: Case) -> dict[str, Any]:
    """The form to log a contact, the caller check, and what waits on this case. Context: user, csrf_token."""
    return {
        "case": case,
        "user": context["user"],
        "csrf_token": context["csrf_token"],
        "contact_form": ContactForm(
            language=case.account.language,
            initial={"summary": drafts.text_of(case, "contact", user=context["user"])},
        ),
        "check": callers.may_disclose(case, context["user"]),
        "tasks": Task.objects.filter(case_id=case.pk, closed_at=None).order_by("due_at"),
    }
