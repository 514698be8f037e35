"""What each act of care does, from the mildest to the strongest. Each protects, so nobody is asked before; none ends
anything. Strong ones wait for a person's look afterwards.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from audit.actors import system
from audit.perform import perform
from cases import protection, texts
from cases import services as engine
from cases.notices.services import carers_of
from cases.notices.services import tell as tell_staff
from cases.types.gaming import care
from cases.types.gaming.markers.models import CareAction
from cases.types.gaming.models import GamingRequest
from compliance.people.models import Account, Restriction
from compliance.policy.marker_rules import STRONG, markers_at

# Outside the compartment a case says no more than this: somebody talks with the player.
RULE: Final = "OP.RG.CARE"
ANSWER: Final = timedelta(days=1)  # where an act names no time
NOTICE: Final = "care_review"
LETTERS: Final = {"message": "care_hello", "tool_prompt": "care_tools"}


@dataclass(frozen=True, slots=True)
class Done:
    case: GamingRequest | None = None
    restriction: Restriction | None = None


def do(action: CareAction, *, now: datetime) -> None:
    """In the caller's transaction, which holds the action's row."""
    done = DOING[action.act](action, now)
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
    )
    if done.case is not None:
        tell_staff(NOTICE, case=done.case, to=carers_of(done.case), key=action.pk)


def within(action: CareAction) -> timedelta:
    """Until when a person has to have called, or to have looked at it."""
    period = markers_at(action.policy).acts[action.act].within
    if period is None:
        return ANSWER
    return timedelta(hours=period.amount) if period.unit == "hour" else timedelta(days=period.amount)


def _write(action: CareAction, now: datetime) -> Done:
    """A short, friendly message. It names no reason: what was noticed is for a person to say."""
    case = _case(action)
    if case is not None:
        language = case.account.language
        text = texts.message(LETTERS[action.act], language, number=case.number)
        engine.write_message(case, LETTERS[action.act], by=system(), text=text)
    return Done(case)


def _call(action: CareAction, now: datetime) -> Done:
    account = _account(action)
    if account is None:
        return Done()
    facts = {"rule": RULE, "reckoning": {}, "by": system(), "within": within(action)}
    return Done(care.look_after(account, **facts))  # type: ignore[arg-type]


def _marketing_off(action: CareAction, now: datetime) -> Done:
    return _stop(action, ("marketing",), protection.MARKETING_CODE)


def _block(action: CareAction, now: datetime) -> Done:
    return _stop(action, protection.STOPS, protection.PUBLIC_CODE)


def _stop(action: CareAction, stops: tuple[str, ...], code: str) -> Done:
    case = _case(action)
    matter = case.number if case else None
    restriction = protection.stop_by_rule(action.customer, stops=stops, cover_code=code, by=system(), matter=matter)
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
    "block": _block,
}
