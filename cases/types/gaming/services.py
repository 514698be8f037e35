"""Requests about play. What protects is done at once, by one person or nobody; the case says what follows from it."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from audit.actors import Acts, System, system
from audit.cards import without_cards
from audit.perform import ConditionsNotMet, Denied, WrongState, perform
from audit.record import record, record_read, record_refusal
from cases import services as engine
from cases import texts
from cases.clocks import services as clocks
from cases.clocks.models import Clock
from cases.clocks.models import Kind as ClockKind
from cases.contacts.services import plan_contact
from cases.patterns import feeds
from cases.permissions import WORK, is_key
from cases.types.gaming import orders
from cases.types.gaming.limits.services import cancel_raises
from cases.types.gaming.models import KIND, Asks, GamingFacts, GamingRequest, Interaction, Outcome, StopOrder
from compliance import formats
from compliance.keys.services import open_sealed, seal
from compliance.people.exclusions import clock
from compliance.people.exclusions import services as exclusions
from compliance.people.exclusions.models import LIVE, AskedBy, Exclusion, ExclusionQuerySet
from compliance.people.exclusions.terms import after, needed
from compliance.people.models import Account, Customer, Person, User
from compliance.people.permissions import has_right
from compliance.policy.records import Period
from compliance.rulebook.queries import policy_at, policy_of

ANSWER_WITHIN = timedelta(hours=1)  # a person looks within an hour (operator default)
SECOND_CLICK = timedelta(minutes=1)
READ_INTERACTION = "gaming.read_interaction"
WORDS, NOTE = "gaming.words", "gaming.interaction"
LETTERS = {Asks.TIME_OUT: "time_out_started", Asks.SELF_EXCLUSION: "exclusion_started", Asks.RETURN: "return_asked"}


@transaction.atomic
def keep_out(
    account: Account,
    *,
    kind: str,
    period: Period | None,
    by: Acts,
    asked_by: str = AskedBy.SELF,
    via: str = "online",
    words: str = "",
    scope: str = "",
) -> tuple[Exclusion, GamingRequest | None]:
    """Keep the player out now, everywhere; then open the case. A second click is the same request.

    Where no team has a queue for this kind, the exclusion stands all the same and there is no case.
    """
    if running := _second_click(account, kind, period, scope):
        return running
    licensee = account.licensee
    policy = policy_of(licensee, on=licensee.today())
    # First: what a deposit or limit locks first too. A number is taken while the account is held, never before it.
    for customer in Customer.objects.filter(person_id=account.customer.person_id, erased_at=None).order_by("pk"):
        cancel_raises(customer, by=by, reason="exclusion")
    # The person before the player, as whoever corrects one does (people.correcting); opening a case locks the player.
    list(Person.objects.select_for_update().filter(pk=account.customer.person_id))
    case = _open(account, by=by)
    exclusion = exclusions.start(
        account.customer,
        policy=policy,
        kind=kind,
        period=period,
        asked_by=asked_by,
        by=by,
        scope=scope,
        matter=case.number if case else "",
    )
    orders.order_for(exclusion.restriction)
    for duplicate in exclusion.person.resembled_by.filter(state="open"):
        orders.order_for(duplicate.restriction)
    feeds.changed([account.customer_id])
    if case is not None:
        _note_facts(case, exclusion, asks=kind, asked_by=asked_by, via=via, words=words, by=by)
        if asked_by != AskedBy.THIRD_PARTY:
            _tell(case, kind, exclusion)
    return exclusion, case


def _second_click(
    account: Account, kind: str, period: Period | None, scope: str
) -> tuple[Exclusion, GamingRequest | None] | None:
    """The request of a moment ago that covers what is asked now, in reach and in time. More is never a second click."""
    recent = Exclusion.objects.of(account.customer.person_id).filter(
        kind=kind, customer=account.customer, starts_at__gt=clock.now() - SECOND_CLICK
    )
    covering = (one for one in recent.order_by("-starts_at") if _covers(one, period, scope, account))
    found = next(covering, None)
    if found is None:
        return None
    return found, GamingRequest.objects.filter(gaming_facts__exclusion=found).order_by("opened_at").first()


def _covers(earlier: Exclusion, period: Period | None, scope: str, account: Account) -> bool:
    licensee = account.licensee
    if earlier.scope != "group":
        asked = scope or needed(policy_of(licensee, on=licensee.today()).exclusions, "scopes")[0]
        if asked != earlier.scope:
            return False
    if earlier.term_ends_at is None or period is None:
        return earlier.term_ends_at is None
    return after(earlier.starts_at, period, licensee) <= earlier.term_ends_at


def _open(account: Account, *, by: Acts, due_at: datetime | None = None) -> GamingRequest | None:
    now = clock.now()
    try:
        case: GamingRequest = engine.open_case(KIND, account, by=by, now=now, due_at=due_at or now + ANSWER_WITHIN)
    except engine.NoQueue:
        return None
    return case


def _note_facts(
    case: GamingRequest, exclusion: Exclusion, *, asks: str, asked_by: str, via: str, words: str, by: Acts
) -> None:
    facts = GamingFacts(case=case, exclusion=exclusion, asks=asks, asked_by=asked_by, via=via)
    if words.strip():
        facts.words_sealed = seal(case.audit_subject, WORDS, without_cards(words).encode(), aad=case.pk.bytes)
    facts.save(force_insert=True)
    details = {"exclusion": exclusion.pk, "asks": asks, "asked_by": asked_by, "via": via}
    record("gaming.open", by=by, about=case, details=details)


def _tell(case: GamingRequest, asks: str, exclusion: Exclusion) -> None:
    """One message, kind and plain: what holds until when. No offer, no survey, nothing that asks to stay."""
    account = case.account
    language = account.language
    zone = exclusion.licensee.zone
    values: dict[str, Any] = {
        "number": case.number,
        "start": formats.day(exclusion.starts_at, zone=zone, language=language),
    }
    last = exclusion.term_ends_at
    code = LETTERS[Asks(asks)]
    if last is None:
        code = "exclusion_open_started" if asks == Asks.SELF_EXCLUSION else code
    else:
        values["date"] = formats.day(last - timedelta(minutes=1), zone=zone, language=language)
    engine.write_message(case, code, by=system(), text=texts.message(code, language, **values))


# ------------------------------------------------------------------------------------------------------ words and care
def words_of(case: GamingRequest, *, by: User) -> str:
    """What was said, word for word; "" where nothing was noted. For who may read of a player's health."""
    _require_care(case, by=by, action="gaming.write_interaction")
    sealed = case.gaming_facts.words_sealed
    if sealed is None:
        return ""
    record_read(by=by, subject=case.audit_subject, purpose="gaming:words", about=case, matter=case.number)
    return open_sealed(case.audit_subject, WORDS, bytes(sealed), aad=case.pk.bytes).decode()


@transaction.atomic
def write_interaction(
    case: GamingRequest,
    *,
    by: User,
    signs: Iterable[str],
    advice: Iterable[str],
    outcome: str,
    follow_up_on: date | None = None,
    helped: bool | None = None,
    note: str = "",
) -> Interaction:
    """Keep what was noticed, advised and agreed. In a compartment of its own: agents see the effects only.

    On `follow_up_on` a contact becomes due, whatever became of the case by then.
    """
    _require_care(case, by=by, action="gaming.write_interaction")
    chosen, advised = sorted(set(signs)), sorted(set(advice))
    if not chosen or set(chosen) - set(Interaction.SIGNS):
        raise ConditionsNotMet([_("signs: say what was noticed, or that nothing was.")])
    if not advised or set(advised) - set(Interaction.ADVICE):
        raise ConditionsNotMet([_("advice: say what was advised, or that nothing was.")])
    if outcome not in Interaction.OUTCOMES:
        raise ConditionsNotMet([_("outcome: say how it ended.")])
    if follow_up_on is not None and follow_up_on <= case.licensee.today():
        raise ConditionsNotMet([_("follow_up_on: choose a day that is still to come.")])
    row = Interaction(case=case, signs=chosen, advice=advised, outcome=outcome, written_by=by)
    row.follow_up_on, row.helped = follow_up_on, helped
    if note.strip():
        row.note_sealed = seal(case.audit_subject, NOTE, without_cards(note).encode(), aad=row.pk.bytes)
    row.save(force_insert=True)
    record("gaming.write_interaction", by=by, about=row)
    feeds.changed([case.customer_id])
    if follow_up_on is not None:
        plan_contact(case, case.licensee.day_starts(follow_up_on), by=by)
    return row


def interactions_of(case: GamingRequest, *, by: User) -> list[tuple[Interaction, str]]:
    """Each with its note, newest first. The reading is recorded."""
    _require_care(case, by=by, action="gaming.write_interaction")
    rows = list(case.interactions.select_related("written_by").order_by("-written_at", "pk"))
    if rows:
        record_read(by=by, subject=case.audit_subject, purpose="gaming:care", about=case, matter=case.number)
    return [(row, _note_of(row)) for row in rows]


def _note_of(row: Interaction) -> str:
    if row.note_sealed is None:
        return ""
    return open_sealed(row.audit_subject, NOTE, bytes(row.note_sealed), aad=row.pk.bytes).decode()


def may_read_care(user: Any) -> bool:
    return has_right(user, READ_INTERACTION)


def _require_care(case: GamingRequest, *, by: User, action: str) -> None:
    engine.require(WORK, case, by=by, action=action)
    if not may_read_care(by):
        record_refusal(action, by=by, about=case, reason="no_right")
        raise Denied("no_right")


# ------------------------------------------------------------------------------------------------------------ return
@transaction.atomic
def ask_return(
    exclusion: Exclusion, account: Account, *, channel: str, by: Acts, words: str = ""
) -> tuple[Exclusion, GamingRequest | None]:
    """The player wants to play again: nothing changes by asking. Raises ConditionsNotMet.

    Until when it is decided is the rule's `decision_within`, with a clock of its own.
    """
    policy = policy_at(exclusion.policy_version)
    done = exclusions.ask_return(exclusion, policy=policy, channel=channel, by=by)
    within = policy.exclusions.decision_within if policy.exclusions.known("decision_within") else None
    now = clock.now()
    due_at = after(now, within.value, account.licensee) if within else None
    case = _open(account, by=by, due_at=due_at)
    if case is not None:
        _note_facts(case, done, asks=Asks.RETURN, asked_by=AskedBy.SELF, via=channel, words=words, by=by)
        if within and due_at:
            clocks.start_statutory(case, rule=within.id, target=due_at - now, by=by, at=now)
        _tell(case, Asks.RETURN, done)
    return done, case


@transaction.atomic
def refuse_return(exclusion: Exclusion, *, by: Acts, reason: str) -> Exclusion:
    done = exclusions.refuse_return(exclusion, by=by, reason=reason)
    decided(done, by=by)
    return done


@transaction.atomic
def take_back_return(exclusion: Exclusion, *, by: Acts) -> Exclusion:
    """The player thought better of it: there is nothing left to decide."""
    done = exclusions.take_back_return(exclusion, by=by)
    decided(done, by=by)
    return done


def decided(exclusion: Exclusion, *, by: Acts) -> None:
    """The request to return was answered: its clock stops."""
    running = Clock.objects.filter(case__gaming_facts__exclusion=exclusion, case__gaming_facts__asks=Asks.RETURN)
    for one in running.filter(kind=ClockKind.STATUTORY, stopped_at=None).order_by("pk"):
        clocks.stop(one, by=by)


def confirm_return(exclusion: Exclusion, *, by: Acts) -> Exclusion:
    """The player says it once more, after the wait."""
    if isinstance(by, System):
        raise Denied("player_needed")
    channels = needed(policy_at(exclusion.policy_version).exclusions, "return_channels")
    if is_key(by) and "online" not in channels:
        raise ConditionsNotMet([_("The player confirms this by: %(how)s.") % {"how": ", ".join(channels)}])
    return exclusions.confirm_return(exclusion, by=by)


# ------------------------------------------------------------------------------------------------------------- the end
def review(case: GamingRequest, *, by: User, version: int | None = None) -> GamingRequest:
    return perform(case.review, by=by, version=version)  # type: ignore[no-any-return]


@transaction.atomic
def settle(case: GamingRequest, *, by: Acts, version: int | None = None) -> GamingRequest:
    """Close it: the platform confirmed, and whoever was to be talked to was."""
    facts: dict[str, Any] = {"outcome": _outcome_of(case), "reason": case.gaming_facts.asks, "at": clock.now()}
    case = perform(case.settle, by=by, version=version, **facts)
    engine.leave_word_of_end(case, by=by)
    return case


def _outcome_of(case: GamingRequest) -> str:
    if case.gaming_facts.asks == Asks.CARE:
        return Outcome.CARED_FOR if case.interactions.exists() else Outcome.WRITTEN_TO
    exclusion = case.exclusion
    if exclusion.state == Exclusion.State.ANNULLED:
        return Outcome.ANNULLED
    if case.gaming_facts.asks != Asks.RETURN:
        return Outcome.KEPT_OUT
    return Outcome.LET_BACK if exclusion.state == Exclusion.State.ENDED else Outcome.STAYED_OUT


def sweep() -> dict[str, int]:
    """Orders told again, and time-outs and returns closed that nobody has to look at any more."""
    done = orders.sweep()
    waiting = GamingRequest.objects.open().filter(gaming_facts__asks=Asks.TIME_OUT)
    settled = 0
    for case in waiting.order_by("opened_at")[:500]:
        with suppress(ConditionsNotMet, WrongState):  # the platform did not confirm yet
            settle(case, by=system())
            settled += 1
    return done | {"settled": settled}


def running(account: Account) -> list[Exclusion]:
    """What keeps this player out here now, newest first. What another licensee agreed on for itself is not told."""
    rows = of_here(account).filter(state__in=LIVE)
    return list(rows.select_related("licensee", "restriction").order_by("-starts_at", "pk"))


def of_here(account: Account) -> ExclusionQuerySet:
    """The player's exclusions that reach this licensee, those that ended too."""
    here = Q(scope="group") | Q(licensee_id=account.licensee_id)
    return Exclusion.objects.filter(here, person_id=account.customer.person_id)


def unconfirmed(exclusion: Exclusion) -> list[StopOrder]:
    rows = StopOrder.objects.open().filter(restriction=exclusion.restriction)
    return list(rows.select_related("account__brand").order_by("made_at", "pk"))
