"""What mail adds to the case page: messages that did not arrive, and letters with files."""

from typing import Any

from django.template import Library

from cases.drafts import services as drafts
from cases.mail import deliveries
from cases.mail.forms import MessageForm
from cases.models import Case

register = Library()


@register.inclusion_tag("mail/_troubles.html")
def mail_troubles(case: Case) -> dict[str, Any]:
    return {"case": case, "rows": list(deliveries.troubled(case))}


@register.inclusion_tag("mail/_message.html", takes_context=True)
def message_panel(context: Any, case: Case) -> dict[str, Any]:
    """The composer of a message to the player: blue, below the grey note, and with a look at it before it is sent."""
    draft = drafts.text_of(case, "message", user=context["user"])
    return {
        "case": case,
        "user": context["user"],
        "csrf_token": context["csrf_token"],
        "message_form": MessageForm(initial={"line": draft}),
        "draft": bool(draft),
    }


@register.inclusion_tag("mail/_letters.html")
def letters_of(case: Case) -> dict[str, Any]:
    """The letters of the case, newest first: each leads to its page, where its files are offered."""
    rows = case.letters.prefetch_related("files").order_by("-arrived_at")[:20]
    return {"case": case, "rows": list(rows)}
