"""What may be said to a caller who passed the check: the four public states, what is asked for, what is stopped."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases import texts
from cases.models import Case
from cases.protection import restrictions_shown

# The only four states that ever leave the house, as in the API.
PUBLIC_STATES: dict[str, str | Promise] = {
    "open": _("We received it."),
    "in_review": _("It is in review."),
    "waiting": _("We need something from you."),
    "closed": _("It is finished."),
}


def may_be_said(case: Case) -> list[tuple[str | Promise, Any]]:
    """Label and words, in this order. Never a reason, a risk, a person's name, or what set a restriction."""
    asked = case.evidence.filter(state="returned", told=True).order_by("created_at").values_list("purpose", flat=True)
    stopped = [str(effect) for one in restrictions_shown(case) for effect in one["stops"]]
    return [
        (_("Tracking number"), case.number),
        (_("State"), PUBLIC_STATES[case.state]),
        (_("What we still need"), ", ".join(texts.purpose_title(purpose) for purpose in asked) or _("Nothing now")),
        (_("Stopped"), ", ".join(dict.fromkeys(stopped)) or _("Nothing")),
    ]
