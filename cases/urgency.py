"""The engine's own rules that raise a priority. What only one kind knows, that kind registers itself."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.clocks.models import Clock
from cases.contacts.models import Task
from cases.priority import HIGH, RAISED, URGENT, Rule, register


def _with_clock(**facts: object) -> Q:
    return Q(pk__in=Clock.objects.filter(stopped_at=None, **facts).values("case_id"))


register(
    Rule(
        "care",
        _("Words that may mean self-harm"),
        URGENT,
        lambda: Q(pk__in=Task.objects.filter(kind="care", closed_at=None).values("case_id")),
    ),
    Rule("late", _("A target of time was missed"), HIGH, lambda: _with_clock(breached_at__isnull=False)),
    Rule("soon", _("Three quarters of the time are used up"), RAISED, lambda: _with_clock(warned_at__isnull=False)),
    Rule("risk", _("The player’s risk is high"), RAISED, lambda: Q(customer__risk="high")),
)
