"""Life of a campaign: drafted (its players are fixed) -> confirmed by a second person where policy says so -> running,
so many players a day -> done. It can be paused, and stopped: what was opened stays open.

Each player is a transaction of its own: the campaign is locked, today's number is asked for, the review is opened by
the ordinary act. Two workers wait for each other, and one that dies leaves nothing half done. A player whose review
breaks is set aside, counts for the day, and ends the run; after IN_A_ROW of them the campaign pauses: then the fault is
ours, not theirs.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from hashlib import sha256
from itertools import islice
from time import monotonic
from typing import Any, Final

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts, system
from audit.canonical import canonical
from audit.perform import ConditionsNotMet, Denied, perform
from audit.record import ObjectRef, record, record_refusal
from cases.models import Queue
from cases.types.verification import reviews
from cases.types.verification.campaigns.choosing import Choice, askable, chosen, may_be_asked
from cases.types.verification.campaigns.models import RUN, TRIED, Campaign, Member
from cases.types.verification.models import KIND, Because, Verification
from compliance.people.models import Customer, Licensee, User
from compliance.people.reach import decides_for
from compliance.policy import PolicyMissing
from compliance.policy.schema import Need
from compliance.proposals.models import Proposal
from compliance.proposals.queries import require_second_person
from compliance.proposals.services import propose
from compliance.rulebook import labels
from compliance.rulebook.queries import policy_of

ACT: Final = "campaigns.start"
MOST: Final = 100_000  # players of one campaign
MOST_A_DAY: Final = 10_000
BLOCK: Final = 2_000
IN_A_ROW: Final = 5  # failures after which a campaign pauses by itself
RUN_FOR: Final = timedelta(seconds=45)

State, Result = Campaign.State, Member.Result
_log = logging.getLogger(__name__)


def foreseen(licensee: Licensee, choice: Choice, per_day: int) -> dict[str, int]:
    """How many would be asked, how many are left out, and in how many days all are reached."""
    rows = chosen(licensee, choice)
    asked, every = askable(rows).count(), rows.count()
    return {"total": asked, "left_out": every - asked, "days": -(-asked // per_day)}


@transaction.atomic
def draft(licensee: Licensee, choice: Choice, *, title: str, per_day: int, level: str = "", by: User) -> Campaign:
    """Fix the players: who comes to fit later is not among them. ConditionsNotMet says what is wrong."""
    _require(licensee, by=by, action="campaigns.draft")
    if lacking := _lacking(licensee):
        raise ConditionsNotMet(lacking)
    levels = policy_of(licensee, on=licensee.today()).verification.levels
    unmet = [] if 0 < per_day <= MOST_A_DAY else [_("per_day: from 1 to %(most)s.") % {"most": MOST_A_DAY}]
    if level and level not in levels:
        unmet.append(_("level: %(level)s is unknown. Known: %(known)s.") % {"level": level, "known": ", ".join(levels)})
    rows = chosen(licensee, choice)
    asked, every = askable(rows), rows.count()
    ids = list(asked.values_list("pk", flat=True)[: MOST + 1])
    if not ids:
        unmet.append(_("No player fits, or can be asked now."))
    if len(ids) > MOST:
        unmet.append(_("More than %(most)s players fit. Choose fewer.") % {"most": MOST})
    if unmet:
        raise ConditionsNotMet(unmet)
    facts = {"choice": choice.plain(), "level": level, "per_day": per_day, "total": len(ids)}
    made = Campaign.objects.create(licensee=licensee, title=title, made_by=by, left_out=every - len(ids), **facts)
    members = (Member(campaign=made, customer_id=pk, position=place) for place, pk in enumerate(ids, start=1))
    while block := list(islice(members, BLOCK)):
        Member.objects.bulk_create(block)
    record("campaigns.draft", by=by, about=made, details=_details(made))
    return made


def submit(campaign: Campaign, *, by: User, reason: str, note: str = "") -> Proposal | Campaign:
    """Start it, or propose to where policy asks for two persons."""
    if need(campaign).two:
        return propose(ACT, campaign, by=by, reason=reason, note=note)
    return start(campaign, by=by, reason=reason)


@transaction.atomic
def start(
    campaign: Campaign, *, by: Acts, reason: str, proposal: str | None = None, maker: str | None = None
) -> Campaign:
    require_second_person(ACT, campaign, proposal=proposal)
    if wrong := unmet(campaign):
        raise ConditionsNotMet(list(wrong))
    agreed = {name: value for name, value in (("proposal", proposal), ("maker", maker)) if value}
    return _moved(campaign.start, by=by, reason=reason, details=_details(campaign) | agreed, at=timezone.now())


def pause(campaign: Campaign, *, by: Acts, failed: int = 0) -> Campaign:
    """`failed`: how many players in a row failed, where it pauses by itself for that."""
    more = {"failed": failed} if failed else {}
    return _moved(campaign.pause, by=by, details=_details(campaign) | more)


def resume(campaign: Campaign, *, by: Acts) -> Campaign:
    return _moved(campaign.resume, by=by, details=_details(campaign))


@transaction.atomic
def stop(campaign: Campaign, *, by: Acts) -> Campaign:
    campaign = _locked(campaign)  # nobody is reached while it is counted who was
    return _moved(campaign.stop, by=by, details=_details(campaign) | _reached(campaign), at=timezone.now())


def _moved(move: Callable[..., Any], **facts: Any) -> Campaign:
    done: Campaign = perform(move, **facts)
    return done


def _require(licensee: Licensee, *, by: Acts, action: str) -> None:
    """Somebody who decides for this licensee in a role with the right; the product itself may."""
    if not decides_for(licensee, by, RUN):
        record_refusal(action, by=by, about=ObjectRef("licensee", str(licensee.pk)), reason="no_right")
        raise Denied("no_right")


def _locked(campaign: Campaign) -> Campaign:
    rows = Campaign.objects.select_for_update(of=("self",)).select_related("licensee", "made_by")
    return rows.get(pk=campaign.pk)


def _details(campaign: Campaign) -> dict[str, Any]:
    return {"licensee": campaign.licensee.slug, "rows": campaign.total, "per_day": campaign.per_day}


def _reached(campaign: Campaign) -> dict[str, int]:
    return {name: n for name, n in results(campaign).items() if name != Result.WAITS}


# ------------------------------------------------------------------------------------------------- four eyes
def need(campaign: Campaign, **inputs: Any) -> Need:
    licensee = campaign.licensee
    return policy_of(licensee, on=licensee.today()).need_two(ACT, players=campaign.total)


def unmet(campaign: Campaign, **inputs: Any) -> Sequence[str]:
    decided = [] if campaign.state == State.DRAFTED else [_("This was decided already.")]
    return [*decided, *_lacking(campaign.licensee)]


def _lacking(licensee: Licensee) -> list[str]:
    """What every review needs of the policy and nobody verified: without it each player would fail."""
    try:
        known = policy_of(licensee, on=licensee.today()).verification.known("review_hours")
    except PolicyMissing:
        known = False
    rule = labels.title("verification.review_hours")
    words = _("“%(rule)s”: the rules of this licensee do not say it, so no verification can be opened. Add it first.")
    return [] if known else [words % {"rule": rule}]


def digest(campaign: Campaign) -> bytes:
    """What a decision rests on: the choice and how many players, to which level, so many a day."""
    said = {"choice": campaign.choice, "total": campaign.total, "per_day": campaign.per_day, "level": campaign.level}
    return sha256(canonical(said)).digest()


# ------------------------------------------------------------------------------------------------- sending
def send_due(*, run_for: timedelta = RUN_FOR) -> int:
    """Today's share of every campaign that runs. How many reviews were opened."""
    until, opened = monotonic() + run_for.total_seconds(), 0
    for campaign in Campaign.objects.filter(state=State.RUNNING).order_by("started_at"):
        while monotonic() < until:
            result = _next(campaign)
            opened += result == Result.OPENED
            if result in (None, Result.FAILED):
                break
    return opened


def _next(campaign: Campaign) -> str | None:
    """Reach the next player; None where nothing is to be done now, "" where another worker had this one."""
    member = _waiting(campaign)
    try:
        return _reach(campaign, member)
    except (OperationalError, InterfaceError):
        raise  # the database is away: no fault of this player, the campaign goes on later
    except Exception:
        _log.exception("campaign %s: player at %s", campaign.pk, member.position if member else "its end")
        return _set_aside(campaign, member) if member else None


@transaction.atomic
def _reach(campaign: Campaign, member: Member | None) -> str | None:
    campaign = _locked(campaign)
    if campaign.state != State.RUNNING or not _has_a_queue(campaign) or sent_today(campaign) >= campaign.per_day:
        return None
    if member is None:
        _moved(campaign.end, by=system(), details=_details(campaign) | _reached(campaign), at=timezone.now())
        return None
    if not _still_waits(member):
        return ""
    customer = Customer.objects.select_related("licensee").get(pk=member.customer_id)
    case = None
    if may_be_asked(customer):
        case = reviews.review(
            customer, because=Because.CAMPAIGN, level=_level(campaign, customer), verified_elsewhere=True
        )
    member.result, member.reached_at = (Result.OPENED if case else Result.PASSED), timezone.now()
    member.case_id = case.pk if case else None
    member.save(update_fields=["result", "reached_at", "case"])
    return member.result


def _level(campaign: Campaign, customer: Customer) -> str:
    """The campaign's, never below what the player has or their risk asks for."""
    levels = list(policy_of(customer.licensee, on=customer.licensee.today()).verification.levels)
    own = reviews.level_of(customer)
    return own if campaign.level not in levels else max(own, campaign.level, key=levels.index)


@transaction.atomic
def _set_aside(campaign: Campaign, member: Member) -> str:
    """This player, unless another worker reached them meanwhile."""
    campaign = _locked(campaign)
    if not _still_waits(member):
        return ""
    member.result, member.reached_at, member.case_id = Result.FAILED, timezone.now(), None
    member.save(update_fields=["result", "reached_at", "case"])
    tried = campaign.members.filter(result__in=TRIED, position__lte=member.position).order_by("-position")
    last = list(tried.values_list("result", flat=True)[:IN_A_ROW])
    if campaign.state == State.RUNNING and last == [Result.FAILED] * IN_A_ROW:
        _log.error("campaign %s pauses: the last %s players failed", campaign.pk, IN_A_ROW)
        pause(campaign, by=system(), failed=IN_A_ROW)
    return Result.FAILED


def _still_waits(member: Member) -> bool:
    return Member.objects.filter(pk=member.pk, result=Result.WAITS).exists()


def _waiting(campaign: Campaign) -> Member | None:
    found: Member | None = campaign.members.filter(result=Result.WAITS).order_by("position").first()
    return found


def _has_a_queue(campaign: Campaign) -> bool:
    """Where nobody works on verifications everybody waits, and nobody is passed over for it."""
    return Queue.objects.filter(licensee=campaign.licensee, kind=KIND).exists()


def sent_today(campaign: Campaign) -> int:
    """How much of the day's number is used. Who failed counts, or one fault would run through everybody in a day."""
    since = campaign.licensee.day_starts(campaign.licensee.today())
    return campaign.members.filter(result__in=TRIED, reached_at__gte=since).count()


def results(campaign: Campaign) -> dict[str, int]:
    """How many players by result."""
    counts = campaign.members.order_by().values_list("result").annotate(n=Count("pk"))
    return dict(counts)


def endings(campaign: Campaign, *, seen_by: User | None = None) -> dict[str, int]:
    """How the reviews that were opened ended; "" counts those that are open. For a person: of the cases they see."""
    opened = campaign.members.filter(result=Result.OPENED).order_by()
    if seen_by is not None:
        opened = opened.filter(case__in=Verification.objects.visible_to(seen_by).order_by().values("pk"))
    return dict(opened.values_list("case__outcome").annotate(n=Count("pk")))
