"""Counting scores as things become known, and what follows from them.

Two steps, so that no lock of one is held in the other: `recount_waiting` counts a player and writes down which acts the
score calls for; `act_waiting` does each of them, in a transaction of its own, until it is done.
"""

import json
import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import System, system
from audit.cards import without_cards
from audit.perform import ConditionsNotMet, Denied, perform
from audit.record import ObjectRef, query_digest, record, record_read, record_refusal
from cases.patterns import feeds
from cases.types.gaming.markers import doing, limiting
from cases.types.gaming.markers.book import Book, book_of
from cases.types.gaming.markers.doing import LETTERS
from cases.types.gaming.markers.models import READ_CARE, CareAction, Due, Outcome, Score, State
from cases.types.gaming.markers.reckoning import Reckoned, acts_due, reckon
from cases.types.gaming.markers.signs import signs_of
from compliance.keys.services import open_sealed, seal
from compliance.people.exclusions import clock
from compliance.people.models import Customer, User
from compliance.people.permissions import has_right
from compliance.policy.marker_rules import ACTS
from compliance.policy.records import Period

GATHER: Final = 30  # seconds; what becomes known of a player within it is counted together
AGAIN_AFTER: Final = timedelta(seconds=60)  # times the number of attempts, when a player could not be counted
MOST_ATTEMPTS: Final = 10  # the pause grows no further
SCORE, ACTION, NOTE = "markers.score", "markers.action", "markers.note"

_log = logging.getLogger(__name__)

# In the order of ids; whoever adds to a row that is being counted waits until it is gone, and adds it anew.
ASK = """
INSERT INTO markers_due (customer_id, due_at, asked, attempts)
SELECT customer, clock_timestamp() + make_interval(secs => %s), 1, 0
FROM unnest(%s::uuid[]) AS new (customer) ORDER BY customer
ON CONFLICT (customer_id) DO UPDATE SET asked = markers_due.asked + 1
"""


def ask_for(customers: Collection[UUID]) -> None:
    """These players are to be counted soon, in the transaction in which something new of them became known."""
    with connection.cursor() as cursor:
        cursor.execute(ASK, [GATHER, sorted(set(customers))])


# ------------------------------------------------------------------------------------------------------------ counting
def recount_waiting(*, most: int = 5_000, now: datetime | None = None) -> int:
    """Count players whose time has come, one by one; how many. Safe to run twice at once."""
    now, done = now or clock.now(), 0
    while done < most and _next_counted(now):
        done += 1
    return done


@transaction.atomic
def _next_counted(now: datetime) -> bool:
    """One that no other worker holds; False where there is none."""
    rows = Due.objects.select_for_update(of=("self",), skip_locked=True).filter(due_at__lte=now)
    due = rows.order_by("due_at", "pk").first()
    if due is None:
        return False
    try:
        recount(due.customer_id)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        _log.exception("A player's markers could not be counted")
        Due.objects.filter(pk=due.pk).update(attempts=F("attempts") + 1, due_at=now + _pause(due.attempts))
    return True


def _pause(attempts: int) -> timedelta:
    return AGAIN_AFTER * min(attempts + 1, MOST_ATTEMPTS)


@transaction.atomic
def recount(customer_id: UUID) -> Score | None:
    """Count one player now, keep the score, and write down which acts it calls for. None where there is nothing."""
    Due.objects.filter(pk=customer_id).delete()  # first: what becomes known from here on asks anew
    customer = Customer.objects.select_related("licensee").filter(pk=customer_id, erased_at=None).first()
    book = book_of(customer.licensee) if customer else None
    if customer is None or book is None:
        return None
    reckoned = reckon(customer, book, feeds.counted(customer), signs_of(customer, now=timezone.now()))
    if reckoned is None:
        return _keep_none(customer, book)
    score = _keep(customer, reckoned)
    _call_for(customer, book, reckoned)
    return score


def _keep(customer: Customer, reckoned: Reckoned) -> Score:
    """Whoever counts the same player at the same moment waits here."""
    subject = customer.audit_subject
    sealed = seal(subject, SCORE, json.dumps(reckoned.lines).encode(), aad=customer.pk.bytes)
    facts = {"value": reckoned.value, "policy": reckoned.policy, "as_of": reckoned.as_of}
    facts |= {"counted_at": timezone.now(), "reckoned_sealed": sealed}
    score, _made = Score.objects.update_or_create(customer=customer, defaults=facts)
    return score


def _keep_none(customer: Customer, book: Book) -> Score | None:
    """What was counted of the player is over and nothing is known of them now: a sum of nothing takes its place."""
    if not Score.objects.filter(pk=customer.pk).exists():
        return None
    return _keep(customer, Reckoned(0, book.policy.version, timezone.now(), []))


def _call_for(customer: Customer, book: Book, reckoned: Reckoned) -> None:
    due, now = acts_due(book, reckoned), clock.now()
    for act in ACTS:
        at = book.policy.acts.get(act)
        if act not in due or at is None or _was_done(customer, act, now - span(at.again_after)):
            continue
        if at.limit is not None and not limiting.foreseen(customer, at.limit, now):
            continue  # nothing was paid in, or a limit is imposed already
        action = CareAction(customer=customer, act=act, rule=due[act], score=reckoned.value, policy=reckoned.policy)
        lines = json.dumps(reckoned.lines).encode()
        action.reckoned_sealed = seal(customer.audit_subject, ACTION, lines, aad=action.pk.bytes)
        action.save(force_insert=True)
        names = ("act", "rule", "score", "policy")
        record("markers.ask", by=system(), about=action, details={name: getattr(action, name) for name in names})


def _was_done(customer: Customer, act: str, since: datetime) -> bool:
    """Not long ago, or a stronger letter was; or it is still to be done or looked at; or what it laid down holds still.
    A letter that was out of place is written when it no longer is.
    """
    letters, lately = list(LETTERS), Q(asked_at__gt=since)
    same = letters[letters.index(act) :] if act in letters else [act]
    if act in letters and not doing.why_no_letter(customer):
        lately &= ~Q(state=State.DROPPED)
    standing = lately | Q(state__in=[State.ASKED, State.WAITING])
    standing |= Q(restriction__isnull=False, restriction__lifted_at=None)
    return CareAction.objects.filter(standing, customer=customer, act__in=same).exists()


def span(period: Period) -> timedelta:
    """Elapsed time. ValueError for months and years: their length depends on the day."""
    match period.unit:
        case "hour":
            return timedelta(hours=period.amount)
        case "calendar_day":
            return timedelta(days=period.amount)
    raise ValueError(f"{period}: write hours or calendar days.")


# --------------------------------------------------------------------------------------------------------------- acting
def act_waiting(*, most: int = 500) -> int:
    """Do what was called for; how many acts. One that fails is tried again after a pause, and hinders no other."""
    now = clock.now()
    rows = CareAction.objects.filter(state=State.ASKED, due_at__lte=now).order_by("due_at", "pk")
    return sum(_tried(pk, now) for pk in rows.values_list("pk", flat=True)[:most])


def _tried(pk: UUID, now: datetime) -> bool:
    try:
        return do(pk)
    except (OperationalError, InterfaceError):
        raise
    except doing.NoTeam:
        _log.warning("An act of care waits: no team has a queue for play protection")
    except Exception:
        _log.exception("An act of care could not be done; it is tried again")
    _later(pk, now)
    return False


@transaction.atomic
def _later(pk: UUID, now: datetime) -> None:
    action = CareAction.objects.select_for_update(of=("self",)).get(pk=pk)
    pause = _pause(action.attempts)
    CareAction.objects.filter(pk=pk).update(attempts=action.attempts + 1, due_at=now + pause)


@transaction.atomic
def do(pk: UUID) -> bool:
    """Do one act and move it on, in one transaction. Twice does it once."""
    rows = CareAction.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk, state=State.ASKED)
    action = rows.select_related("customer__licensee").first()
    if action is None:
        return False
    doing.do(action, now=clock.now())
    return True


# ------------------------------------------------------------------------------------------------------------- reading
def score_of(customer: Customer, *, by: User) -> tuple[Score, list[dict[str, Any]]] | None:
    """The score with the lines of its sum; None where nothing was counted. The reading is recorded."""
    _require_care(by, customer, "markers.review")
    score = Score.objects.filter(pk=customer.pk, customer__erased_at=None).select_related("customer").first()
    if score is None:
        return None
    record_read(by=by, subject=score.audit_subject, purpose="gaming:markers", about=customer)
    lines = open_sealed(score.audit_subject, SCORE, bytes(score.reckoned_sealed), aad=score.pk.bytes)
    return score, json.loads(lines)


def lines_of(action: CareAction, *, by: User) -> list[dict[str, Any]]:
    """The sum that an act rested on. The reading is recorded."""
    _require_care(by, action, "markers.review")
    record_read(by=by, subject=action.audit_subject, purpose="gaming:markers", about=action)
    lines = open_sealed(action.audit_subject, ACTION, bytes(action.reckoned_sealed), aad=action.pk.bytes)
    found: list[dict[str, Any]] = json.loads(lines)
    return found


def limits_of(action: CareAction, *, by: User) -> list[limiting.Lowered]:
    """The limits that an act imposed, each with its arithmetic. Whoever reads its sum reads these."""
    _require_care(by, action, "markers.review")
    return limiting.imposed_by(action)


def waiting_for(user: Any) -> Any:
    """Acts that wait for this person's look, the most urgent first."""
    rows = CareAction.objects.visible_to(user).filter(state=State.WAITING)
    return rows.select_related("customer__licensee", "case").order_by("review_due_at", "pk")


def waiting_count(user: Any) -> int:
    """Of all of them, counted without their order."""
    return int(CareAction.objects.visible_to(user).filter(state=State.WAITING).order_by().count())


@transaction.atomic
def list_waiting(*, by: User, most: int) -> list[CareAction]:
    """The first of them; the list is one entry."""
    rows = list(waiting_for(by)[:most])
    if rows:
        about = ObjectRef("list", "care_reviews")
        digest = query_digest(",".join(str(row.pk) for row in rows))
        record("markers.list", by=by, about=about, details={"rows": len(rows), "digest": digest})
    return rows


def review(action: CareAction, *, by: User, outcome: str, note: str = "", version: int | None = None) -> CareAction:
    """A person's word on what was done by itself. Nothing is loosened by it."""
    if outcome not in Outcome.values:
        raise ConditionsNotMet([_("outcome: say whether it was right.")])
    if outcome == Outcome.NOT_RIGHT and not note.strip():
        raise ConditionsNotMet([_("note: say why it was not right.")])
    sealed = None
    if note.strip():
        sealed = seal(action.audit_subject, NOTE, without_cards(note.strip()).encode(), aad=action.pk.bytes)
    facts: dict[str, Any] = {"outcome": outcome, "note_sealed": sealed, "at": clock.now()}
    return perform(action.review, by=by, version=version, **facts)  # type: ignore[no-any-return]


def _require_care(by: Any, about: Any, action: str) -> None:
    if isinstance(by, System) or not has_right(by, READ_CARE):
        record_refusal(action, by=by, about=about, reason="no_right")
        raise Denied("no_right")
