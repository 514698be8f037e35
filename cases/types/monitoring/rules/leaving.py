"""Whoever may not write rules any more, or left, waits for no back-test. Not counted among what ended: that is said in
the main log.
"""

from audit.actors import Acts
from cases.types.monitoring.rules.backtests import cancel
from cases.types.monitoring.rules.models import CHANGE, BackTest
from compliance.people.access import leaving
from compliance.people.models import User


def stop_backtests(user: User, *, by: Acts) -> int:
    if User.objects.get(pk=user.pk).has_perm(CHANGE):
        return 0
    running = list(BackTest.objects.filter(asked_by=user, finished_at=None, cancelled_at=None).select_related("rule"))
    for test in running:
        cancel(test, by=by)
    return len(running)


leaving.with_roles(stop_backtests)
