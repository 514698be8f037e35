"""What may be chosen at a licensee today, with its effect told before the act."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.perform import ConditionsNotMet
from compliance import formats
from compliance.people.exclusions import clock
from compliance.people.exclusions.terms import (
    SELF_EXCLUSION,
    TIME_OUT,
    Terms,
    needed,
    stopped_by,
    terms_of,
    value,
    words_of,
)
from compliance.people.models import Licensee
from compliance.policy.records import Period
from compliance.rulebook.queries import policy_of

STOPPED: Final[dict[str, str | Promise]] = {
    "sign_in": gettext_lazy("signing in"),
    "deposit": gettext_lazy("deposits"),
    "play": gettext_lazy("play"),
    "withdraw": gettext_lazy("withdrawals"),
    "marketing": gettext_lazy("advertising"),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """`code` is "time_out:24:hour", "self_exclusion:6:month" or "self_exclusion:open"."""

    code: str
    kind: str
    period: Period | None

    @property
    def words(self) -> str:
        if self.period is None:
            return _("Self-exclusion without an end")
        names = {"time": words_of(self.period)}
        return (_("Time-out: %(time)s") if self.kind == TIME_OUT else _("Self-exclusion: %(time)s")) % names


def offers_of(licensee: Licensee) -> list[Offer]:
    """Time-outs, then exclusions, as the policy of today names them; none is recommended."""
    rules = policy_of(licensee, on=licensee.today()).exclusions
    found = [_offer(TIME_OUT, period) for period in needed(rules, "time_outs")]
    found += [_offer(SELF_EXCLUSION, period) for period in needed(rules, "terms")]
    if rules.known("open_ended") and needed(rules, "open_ended"):
        found.append(Offer(f"{SELF_EXCLUSION}:open", SELF_EXCLUSION, None))
    return found


def _offer(kind: str, period: Period) -> Offer:
    return Offer(f"{kind}:{period.amount}:{period.unit}", kind, period)


def offer_of(licensee: Licensee, code: str) -> Offer:
    """One of those; ConditionsNotMet names what there is."""
    known = {offer.code: offer for offer in offers_of(licensee)}
    if code not in known:
        raise ConditionsNotMet(
            [_("Choose how long: %(these)s.") % {"these": ", ".join(o.words for o in known.values())}]
        )
    return known[code]


@dataclass(frozen=True, slots=True)
class Stops:
    """What stops at once, in words; whether the player's money can be taken out; whether bets that run are void."""

    words: str
    pays_out: bool
    bets_void: bool


def stops_today(licensee: Licensee) -> Stops:
    """What follows whichever offer is taken, as the policy of today says."""
    rules = policy_of(licensee, on=licensee.today()).exclusions
    stops = stopped_by(rules)
    words = formats.listed([str(STOPPED[one]) for one in stops])
    return Stops(words, "withdraw" not in stops, "open_bets" in (value(rules, "ended_now") or ()))


def effect_of(licensee: Licensee, offer: Offer, *, third_party: bool = False) -> tuple[datetime, Terms]:
    """From when and until when it would hold if it were asked for now."""
    start = clock.now()
    rules = policy_of(licensee, on=licensee.today()).exclusions
    terms = terms_of(
        rules,
        kind=offer.kind,
        period=offer.period,
        third_party=third_party,
        running=False,
        licensee=licensee,
        start=start,
    )
    return start, terms
