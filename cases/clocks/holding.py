"""A person pauses a target of ours, with a reason, and lets it go on. Legal deadlines refuse (`services.pause`).

What pauses by itself, such as the wait for the player, ends by itself: nobody cuts it short here.
"""

from collections.abc import Mapping
from typing import Final

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.actors import Acts
from audit.perform import ConditionsNotMet
from cases.clocks import services
from cases.clocks.models import Clock, Pause
from cases.permissions import WORK
from cases.services import require

REASONS: Final[Mapping[str, str | Promise]] = {
    "third_party": gettext_lazy("Somebody outside has to answer first: a bank, an authority, a supplier"),
    "player_asked": gettext_lazy("The player asked for time"),
    "technical": gettext_lazy("Technical trouble has to be solved first"),
    "told_to_wait": gettext_lazy("The team lead decided to wait"),
}


@transaction.atomic
def hold(clock: Clock, *, by: Acts, because: str) -> Pause:
    """Stop counting from now on. Whoever works on the case may; the reason and who said so stand in the log."""
    require(WORK, clock.case, by=by, action="clocks.pause")
    clock = _locked(clock)
    if because not in REASONS:
        raise ConditionsNotMet([_("Choose a reason.")])
    if clock.pauses.filter(ended_at=None).exists():
        raise ConditionsNotMet([_("It is paused already.")])
    return services.pause(clock, by=by, reason=because)


@transaction.atomic
def go_on(clock: Clock, *, by: Acts) -> None:
    """Count again. What did not count stays out of the sum."""
    require(WORK, clock.case, by=by, action="clocks.resume")
    clock = _locked(clock)
    if not clock.pauses.filter(ended_at=None, reason__in=REASONS).exists():
        raise ConditionsNotMet([_("Nobody paused it by hand. What pauses by itself goes on by itself.")])
    services.resume(clock, by=by)


def _locked(clock: Clock) -> Clock:
    return Clock.objects.select_for_update(of=("self",)).select_related("case").get(pk=clock.pk)
