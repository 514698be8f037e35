"""The acts of an investigation. Each is an entry of the AML log and of no other; nothing outside is touched."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet, Denied, perform
from audit.record import ObjectRef, record, record_refusal
from cases.numbers import next_number
from cases.types.monitoring import leads, reminders
from cases.types.monitoring.hypotheses import HYPOTHESES
from cases.types.monitoring.models import Hypothesis, Investigation, Lead, Note, State
from cases.types.monitoring.permissions import INVESTIGATE, may
from cases.types.monitoring.sealing import TEXT, WORDS, opened, sealed
from compliance.people.models import Customer, User

PREFIX = "AML"
# Called in the transaction in which the suspicion of an investigation (the one where the work goes on) may have moved.
# Who keeps reports stands above.
MOVED: list[Callable[[Investigation, Acts], None]] = []


@transaction.atomic
def look_into(kind: str, source_id: UUID, *, by: User, customer: Customer | None = None) -> Investigation:
    """Take a lead up: into the player's open investigation, else into a new one. A second click finds the same.

    `customer` is given where the lead names nobody. Raises ConditionsNotMet where nobody is named at all.
    """
    lead = leads.lookup(kind).load(source_id)
    player = lead.customer or customer
    if player is None:
        raise ConditionsNotMet([_("Say whom it is about: write the player number.")])
    _require(by, "monitoring.attach", player)
    return _attached(lead, kind, player, by=by)


@transaction.atomic
def follow(kind: str, source_id: UUID) -> Investigation:
    """As `look_into`, by the product itself: a rule asked for more than a flag. The lead names its player."""
    lead = leads.lookup(kind).load(source_id)
    if lead.customer is None:
        raise ConditionsNotMet([nobody()])
    return _attached(lead, kind, lead.customer, by=system())


def _attached(lead: leads.Waiting, kind: str, player: Customer, *, by: Acts) -> Investigation:
    _wait_for_our_turn(player)
    source_id = lead.source_id
    known = Lead.objects.filter(kind=kind, source_id=source_id).select_related("investigation").first()
    if known is not None:
        return root_of(known.investigation)
    investigation = _standing(player) or _opened(player, by=by)
    Lead.objects.create(investigation=investigation, kind=kind, source_id=source_id)
    record("monitoring.attach", by=by, about=investigation, details={"lead": kind, "lead_id": str(source_id)})
    return _earliest(
        investigation,
        by=by,
        suspicion_at=lead.noticed_at if lead.is_human else None,
        flagged_at=None if lead.is_human else lead.noticed_at,
    )


@transaction.atomic
def open_for(customer: Customer, *, by: User, suspicion_at: datetime) -> Investigation:
    """Begin without a lead: somebody of the compartment suspects. The player's open investigation, if there is one."""
    _require(by, "monitoring.open", customer)
    if suspicion_at > timezone.now():
        raise ConditionsNotMet([_("This day is in the future.")])
    _wait_for_our_turn(customer)
    return _earliest(_standing(customer) or _opened(customer, by=by), by=by, suspicion_at=suspicion_at)


def take_up(investigation: Investigation, *, by: User) -> Investigation:
    """Begin to work on it; whoever does is responsible. The list of explanations to look into is laid out."""
    with transaction.atomic():
        done: Investigation = perform(investigation.take_up, by=by, assignee=by)
        _lay_out(done)
    return done


def wait(investigation: Investigation, *, by: User) -> Investigation:
    return perform(investigation.wait, by=by)  # type: ignore[no-any-return]


def resume(investigation: Investigation, *, by: User) -> Investigation:
    return perform(investigation.resume, by=by)  # type: ignore[no-any-return]


def hand_over(investigation: Investigation, *, by: User) -> Investigation:
    return perform(investigation.hand_over, by=by)  # type: ignore[no-any-return]


def return_to_analyst(investigation: Investigation, *, by: User, note: str) -> Investigation:
    """Not yet: `note` says what is missing."""
    if not note.strip():
        raise ConditionsNotMet([_("Say what should be looked into.")])
    with transaction.atomic():
        write(investigation, note, by=by)
        return perform(investigation.return_to_analyst, by=by)  # type: ignore[no-any-return]


@transaction.atomic
def reopen(investigation: Investigation, *, by: User) -> Investigation:
    """Something new is known. Refused while the player has another open investigation: what is new belongs there."""
    _wait_for_our_turn(investigation.customer)
    if other := _standing(investigation.customer):
        raise ConditionsNotMet([_("%(number)s is open for this player: add it there.") % {"number": other.number}])
    return perform(investigation.reopen, by=by)  # type: ignore[no-any-return]


@transaction.atomic
def assign(investigation: Investigation, *, to: User, by: User) -> Investigation:
    """Give it to somebody of the compartment."""
    fresh = locked(investigation)
    _require(by, "monitoring.assign", fresh.customer, about=fresh)
    if not may(to, INVESTIGATE, fresh.customer_id):
        raise ConditionsNotMet([_("%(name)s may not work on this.") % {"name": to.name}])
    before, fresh.assignee = fresh.assignee_id, to
    _saved(fresh, "assignee")
    record("monitoring.assign", by=by, about=fresh, changes={"assignee_id": (before, to.pk)})
    return fresh


@transaction.atomic
def suspect(investigation: Investigation, *, at: datetime, by: User) -> Investigation:
    """Somebody began to suspect then. Statutory periods run from the earliest such moment: it only moves back."""
    fresh = locked(investigation)
    _require(by, "monitoring.suspect", fresh.customer, about=fresh)
    if at > timezone.now():
        raise ConditionsNotMet([_("This day is in the future.")])
    if fresh.suspicion_at is not None and at > fresh.suspicion_at:
        raise ConditionsNotMet([_("Somebody suspected earlier already. This moment moves back only.")])
    before, fresh.suspicion_at = fresh.suspicion_at, at
    _saved(fresh, "suspicion_at")
    record("monitoring.suspect", by=by, about=fresh, changes={"suspicion_at": (before, at)})
    suspicion_moved(fresh, by=by)
    return fresh


@transaction.atomic
def mark_urgent(investigation: Investigation, *, urgent: bool, by: User) -> Investigation:
    """Delay would do harm, or no longer. What is urgent stands first, and the reporting officers are told at once."""
    fresh = locked(investigation)
    _require(by, "monitoring.urgent", fresh.customer, about=fresh)
    _require_running(fresh)
    if fresh.urgent != urgent:
        fresh.urgent = urgent
        _saved(fresh, "urgent")
        record("monitoring.urgent", by=by, about=fresh, changes={"urgent": (not urgent, urgent)})
        if urgent:
            reminders.remind_reporting_officers()
    return fresh


@transaction.atomic
def judge(investigation: Investigation, code: str, *, verdict: str, words: str, by: User) -> Hypothesis:
    """How far one explanation was looked into, and what speaks for or against it."""
    fresh = locked(investigation)
    _require(by, "monitoring.judge", fresh.customer, about=fresh)
    _require_running(fresh)
    if code not in HYPOTHESES or verdict not in Hypothesis.Verdict.values:
        raise ConditionsNotMet([_("Choose one of the explanations and a verdict.")])
    if verdict != Hypothesis.Verdict.OPEN and not words.strip():
        raise ConditionsNotMet([_("Say what it rests on.")])
    row, _made = Hypothesis.objects.get_or_create(investigation=fresh, code=code)
    row.verdict, row.judged_by, row.judged_at = verdict, by, timezone.now()
    row.words_sealed = sealed(WORDS, words, row.pk) if words.strip() else None
    row.save()
    _saved(fresh)
    record("monitoring.judge", by=by, about=fresh, details={"hypothesis": code, "verdict": verdict}, note=words or None)
    return row


@transaction.atomic
def write(investigation: Investigation, text: str, *, by: User) -> Note:
    """A note that people of the compartment read."""
    _require(by, "monitoring.write", investigation.customer, about=investigation)
    if not text.strip():
        raise ConditionsNotMet([_("Write something.")])
    note = Note(investigation=investigation, written_by=by)
    note.text_sealed = sealed(TEXT, text.strip(), note.pk)
    note.save(force_insert=True)
    record("monitoring.write", by=by, about=investigation, details={"note_id": str(note.pk)})
    return note


@transaction.atomic
def end(
    investigation: Investigation,
    *,
    outcome: str,
    reason: str,
    words: str,
    by: User,
    proposal: str | None = None,
    maker: str | None = None,
) -> Investigation:
    """Close it. Where nothing is reported, two persons decided (acts.py), and `words` say why for ever."""
    details = {name: value for name, value in (("proposal", proposal), ("maker", maker)) if value}
    fresh = locked(investigation)
    kept = sealed(WORDS, words, fresh.pk)
    now = timezone.now()
    done: Investigation = perform(
        fresh.close, by=by, reason=reason, note=words, details=details, outcome=outcome, words_sealed=kept, at=now
    )
    for kind, source in leads.sources().items():
        rows = Lead.objects.filter(investigation__in=whole(done), kind=kind)
        source.closed(list(rows.values_list("source_id", flat=True)), outcome, by)
    return done


def nobody() -> str:
    """What is said where a player number means nobody."""
    return _("No player has this number.")


def words_of(investigation: Investigation) -> str:
    """Why it ended as it did."""
    return opened(WORDS, investigation.words_sealed, investigation.pk)


def whole(investigation: Investigation) -> list[UUID]:
    """Its id and those of all that was merged into it, however deep."""
    found, newest = [investigation.pk], [investigation.pk]
    while newest:
        newest = list(Investigation.objects.filter(merged_into__in=newest).values_list("pk", flat=True))
        found += newest
    return found


def players_of(investigation: Investigation) -> list[UUID]:
    """Ids of the players it is about: its own, and those of what was merged into it."""
    return list(Investigation.objects.filter(pk__in=whole(investigation)).values_list("customer_id", flat=True))


def root_of(investigation: Investigation) -> Investigation:
    """Where its work goes on."""
    while investigation.merged_into is not None:
        investigation = investigation.merged_into
    return investigation


def evidence_digest(investigation: Investigation) -> bytes:
    """What a decision on it rests on: leads, verdicts, evidence and dates. A note is none of it."""
    ids = whole(investigation)
    rows: list[Any] = [sorted(map(str, Lead.objects.filter(investigation__in=ids).values_list("kind", "source_id")))]
    judged = Hypothesis.objects.filter(investigation__in=ids).values_list("investigation_id", "code", "verdict")
    rows.append(sorted(map(str, judged)))
    from_basket = investigation.exhibits.model.objects.filter(investigation__in=ids, taken_out_at=None)
    rows.append(sorted(from_basket.values_list("digest", flat=True)))
    rows.append((str(investigation.suspicion_at), str(investigation.flagged_at), str(investigation.state)))
    return hashlib.sha256(repr(rows).encode()).digest()


def suspicion_moved(investigation: Investigation, *, by: Acts) -> None:
    """Periods run from the earliest suspicion: whoever counts one counts it again."""
    for follow in MOVED:
        follow(investigation, by)


def locked(investigation: Investigation) -> Investigation:
    rows = Investigation.objects.select_for_update(of=("self",)).select_related("customer", "licensee")
    return rows.get(pk=investigation.pk)


def _opened(customer: Customer, *, by: Acts) -> Investigation:
    now = timezone.now()
    investigation = Investigation.objects.create(
        number=next_number(PREFIX, now=now),
        customer=customer,
        licensee=customer.licensee,
        opened_at=now,
        opened_by=str(by.audit_actor),
    )
    record("monitoring.open", by=by, about=investigation, details={"customer": str(customer.pk)})
    return investigation


def _standing(customer: Customer) -> Investigation | None:
    """The open one of this player, or the one into which theirs was merged, when that is open."""
    mine = Investigation.objects.filter(customer=customer).select_related("merged_into")
    for one in mine.exclude(state=State.CLOSED).order_by("-opened_at"):
        root = root_of(one)
        if root.state not in (State.CLOSED, State.MERGED):
            return locked(root)
    return None


def _earliest(investigation: Investigation, *, by: Acts, **moments: datetime | None) -> Investigation:
    """Each moment given moves the investigation's own back, never forward."""
    fresh = locked(investigation)
    changes = {}
    for name, moment in moments.items():
        before = getattr(fresh, name)
        if moment is not None and (before is None or moment < before):
            setattr(fresh, name, moment)
            changes[name] = (before, moment)
    if changes:
        _saved(fresh, *changes)
        record("monitoring.date", by=by, about=fresh, changes=changes)
        suspicion_moved(fresh, by=by)
    return fresh


def _lay_out(investigation: Investigation) -> None:
    rows = [Hypothesis(investigation=investigation, code=code) for code in HYPOTHESES]
    Hypothesis.objects.bulk_create(rows, ignore_conflicts=True)


def _saved(investigation: Investigation, *fields: str) -> None:
    investigation.version += 1
    investigation.save(update_fields=[*fields, "version"])


def _wait_for_our_turn(customer: Customer) -> None:
    """Two who begin about one player at once wait for each other. No row of the player's own is locked: that would
    be felt outside.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"monitoring:{customer.pk}"])


def _require(by: Acts, action: str, customer: Customer, *, about: Any = None) -> None:
    if not may(by, INVESTIGATE, customer.pk):
        about = about if about is not None else ObjectRef("customer", str(customer.pk))
        record_refusal(action, by=by, about=about, reason="no_right", log="aml")
        raise Denied("no_right")


def _require_running(investigation: Investigation) -> None:
    if investigation.state in (State.CLOSED, State.MERGED):
        raise ConditionsNotMet([_("This investigation is closed or went on in another.")])
