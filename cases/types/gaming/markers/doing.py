"""What each act of care does, from the mildest to the strongest. Each protects, so nobody is asked before; none ends
anything. Strong ones wait for a person's look afterwards. A letter goes to nobody who is kept out of play, whose
account is stopped for good, or to whom a person is to speak.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from audit.actors import system
from audit.perform import perform
from cases import protection, texts
from cases import services as engine
from cases.contacts.models import Task
from cases.notices.services import carers_of
from cases.notices.services import tell as tell_staff
from cases.types.gaming import care, orders
from cases.types.gaming.markers import limiting
from cases.types.gaming.markers.models import CareAction, State, Why
from cases.types.gaming.models import Asks, GamingRequest
from cases.types.gaming.services import may_read_care
from compliance.people import restrictions
from compliance.people.exclusions import services as exclusions
from compliance.people.exclusions.models import Exclusion
from compliance.people.models import Account, Customer, Restriction
from compliance.policy.marker_rules import STRONG, markers_at

# Outside the compartment a case says no more than this: somebody talks with the player.
RULE: Final = "OP.RG.CARE"
ANSWER: Final = timedelta(days=1)  # where an act names no time
NOTICE: Final = "care_review"
LETTERS: Final = {"message": "care_hello", "tool_prompt": "care_tools"}  # the stronger one last
ENDED: Final = "account_closed"  # the public code of who is dead, under age, or somebody else


class NoTeam(Exception):
    """Nobody has a queue in which the player is looked after: the act waits until somebody has."""


@dataclass(frozen=True, slots=True)
class Done:
    """`dropped`: why it turned out not to be needed."""

    case: GamingRequest | None = None
    restriction: Restriction | None = None
    limits: bytes | None = None
    dropped: str = ""


def do(action: CareAction, *, now: datetime) -> None:
    """In the caller's transaction, which holds the action's row. NoTeam where nobody could follow it."""
    if why := why_not(action):
        perform(action.drop, by=system(), at=now, why=why)
        return
    done = DOING[action.act](action, now)
    if done.dropped:
        perform(action.drop, by=system(), at=now, why=done.dropped)
        return
    if action.act not in STRONG:
        perform(action.finish, by=system(), at=now, case=done.case)
        return
    perform(
        action.await_review,
        by=system(),
        at=now,
        due_at=now + within(action),
        case=done.case,
        restriction=done.restriction,
        limits=done.limits,
    )
    if done.case is not None:
        told = [user for user in carers_of(done.case) if may_read_care(user)]
        tell_staff(NOTICE, case=done.case, to=told, key=action.pk)


def why_not(action: CareAction) -> str:
    """Why this act is not needed; "" where it is."""
    if action.customer.erased_at is not None:
        return Why.ERASED
    if action.act not in STRONG and _account(action) is None:
        return Why.NO_ACCOUNT
    return why_no_letter(action.customer) if action.act in LETTERS else ""


def why_no_letter(customer: Customer) -> str:
    """Why the product writes nothing to this player by itself; "" where it may."""
    rows = list(restrictions.in_force(customer).values_list("source", "cover_code"))
    if any(code == ENDED for _source, code in rows):
        return Why.CLOSED
    kept_out = any(source == exclusions.SOURCE or code in exclusions.CODES.values() for source, code in rows)
    if kept_out or Exclusion.objects.of(customer.person_id).exists():
        return Why.KEPT_OUT
    return Why.CALLED if _is_called(customer) else ""


def _is_called(customer: Customer) -> bool:
    """Somebody is to look at words of self-harm, or to talk with the player."""
    tasks = Task.objects.filter(case__customer=customer, closed_at=None)
    asked = CareAction.objects.filter(customer=customer, act="call", state=State.ASKED)
    return (
        tasks.filter(kind=Task.Kind.CARE).exists()
        or tasks.filter(kind=Task.Kind.CONTACT, case__gaming_facts__asks=Asks.CARE).exists()
        or asked.exists()
    )


def within(action: CareAction) -> timedelta:
    """Until when a person has to have called, or to have looked at it."""
    period = markers_at(action.policy).acts[action.act].within
    if period is None:
        return ANSWER
    return timedelta(hours=period.amount) if period.unit == "hour" else timedelta(days=period.amount)


def _write(action: CareAction, now: datetime) -> Done:
    """A short, friendly message. It names no reason: what was noticed is for a person to say."""
    case = _case(action)
    if case is None:
        raise NoTeam
    text = texts.message(LETTERS[action.act], case.account.language, number=case.number)
    engine.write_message(case, LETTERS[action.act], by=system(), text=text)
    return Done(case)


def _call(action: CareAction, now: datetime) -> Done:
    account = _account(action)
    facts = {"rule": RULE, "reckoning": {}, "by": system(), "within": within(action)}
    case = care.look_after(account, **facts) if account else None  # type: ignore[arg-type]
    if case is None:
        raise NoTeam
    return Done(case)


def _marketing_off(action: CareAction, now: datetime) -> Done:
    return _stop(action, ("marketing",), protection.MARKETING_CODE)


def _bonus_off(action: CareAction, now: datetime) -> Done:
    """No marketing, so no new ones; and the platform ends those that run, and confirms it."""
    done = _stop(action, ("marketing",), protection.MARKETING_CODE)
    if done.restriction is not None:
        orders.order_for(done.restriction, parts=[orders.BONUSES])
    return done


def _limit(action: CareAction, now: datetime) -> Done:
    at = markers_at(action.policy).acts.get("limit")
    rule = at.limit if at else None
    limiting.hold(action.customer)
    if rule is None or not limiting.foreseen(action.customer, rule, now):
        return Done(dropped=Why.NOTHING)
    case = _case(action)
    imposed = limiting.impose(action.customer, rule, now, matter=case.number if case else None)
    if not imposed:
        return Done(dropped=Why.NOTHING)
    return Done(case, limits=limiting.sealed(action, imposed))


def _block(action: CareAction, now: datetime) -> Done:
    return _stop(action, protection.STOPS, protection.PUBLIC_CODE)


def _stop(action: CareAction, stops: tuple[str, ...], code: str) -> Done:
    case = _case(action)
    matter = case.number if case else None
    restriction = protection.stop_by_rule(
        action.customer, stops=stops, cover_code=code, by=system(), since=action.asked_at, matter=matter
    )
    return Done(case, restriction)


def _case(action: CareAction) -> GamingRequest | None:
    """The case in which the player is looked after; a new one calls for no contact by itself."""
    account = _account(action)
    if account is None:
        return None
    return care.look_after(account, rule=RULE, reckoning={}, by=system(), contact=False)


def _account(action: CareAction) -> Account | None:
    """The player's first; what is done reaches all of them."""
    rows = Account.objects.filter(customer_id=action.customer_id, released_at=None).select_related(
        "licensee", "customer"
    )
    return rows.order_by("created_at", "pk").first()


DOING: Final[dict[str, Callable[[CareAction, datetime], Done]]] = {
    "message": _write,
    "tool_prompt": _write,
    "call": _call,
    "marketing_off": _marketing_off,
    "bonus_off": _bonus_off,
    "limit": _limit,
    "block": _block,
}
