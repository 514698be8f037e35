"""Special values: at a test licensee, what an account's reference ends in says what the gate will answer.

    -stopped    play, deposits and marketing are stopped, as by "Stop play"
    -excluded   sign-in, deposits, play and marketing are stopped, as by a self-exclusion
    -check      withdrawals are stopped, as by a routine check
    -closed     everything is stopped
    -stop30     as -stopped, 30 seconds after the account was opened (1 to 3600)

So a platform tries each answer, and a stop in the middle of a session, without asking anybody here.
"""

import re
from datetime import timedelta
from typing import Final

from django.utils import timezone

from audit.actors import Acts
from compliance.people.models import Account, Restriction
from compliance.people.services import restrict

SOURCE: Final = "test"
PLAY: Final = ("deposit", "play", "marketing")
ENDINGS: Final = {
    "stopped": (PLAY, "play_stopped"),
    "excluded": (("sign_in", *PLAY), "self_excluded"),
    "check": (("withdraw",), "check"),
    "closed": (Restriction.EFFECTS, "account_closed"),
}
_ENDING: Final = re.compile(r"-(?:(stopped|excluded|check|closed)|stop([1-9][0-9]{0,3}))\Z")
LATEST: Final = 3600


def arrange(account: Account, *, by: Acts) -> Restriction | None:
    """Restrict a new account of a test licensee as its reference asks. None for any other reference or licensee."""
    found = _ENDING.search(account.reference)
    if found is None or not account.licensee.is_test:
        return None
    name, seconds = found.groups()
    if seconds and int(seconds) > LATEST:
        return None
    stops, code = ENDINGS[name or "stopped"]
    starts_at = timezone.now() + timedelta(seconds=int(seconds or 0))
    return restrict(account, stops=stops, cover_code=code, source=SOURCE, starts_at=starts_at, by=by)
