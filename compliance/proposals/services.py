"""Life of a proposal: propose -> somebody else confirms (the act runs in the same transaction) or sends it back.

Otherwise the maker withdraws it, changed evidence voids it, or it expires: then nothing happened. Everybody locks the
subject first and the proposal second, so two people who decide at once wait for each other and cannot deadlock.
"""

import json
from datetime import datetime
from typing import Any

from django.contrib.postgres.functions import TransactionNow
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.actors import INSTALLATION, Acts, SubjectRef, system
from audit.cards import without_cards
from audit.perform import ConditionsNotMet, Denied, WrongState, perform
from audit.record import record, record_refusal
from compliance.outbox.payload import ids_only
from compliance.outbox.services import post
from compliance.people.conflicts.queries import KnowsThePlayer, stands_between
from compliance.people.duty.services import is_named
from compliance.people.models import User
from compliance.proposals import acts
from compliance.proposals.acts import Act, Words
from compliance.proposals.escalation import ESCALATE
from compliance.proposals.models import Proposal, State, is_another_person, is_the_maker
from compliance.proposals.sealed import ANSWER, INPUTS, NOTE, inputs_of, sealed

CONFLICT = "conflict_of_interest"  # among what made a proposal void


class SamePerson(Denied):
    """Whoever proposed may not decide: not with a second sign-in, not with an API key, not as a superuser."""

    def __init__(self) -> None:
        super().__init__("same_person", gettext_lazy("You proposed this yourself. Another person has to decide."))


class PersonNeeded(Denied):
    """Proposals are made by people (also through an API key they own) and decided by people who signed in."""

    def __init__(self) -> None:
        super().__init__("person_needed", gettext_lazy("A person who signed in has to do this."))


class OtherCheckerNamed(Denied):
    def __init__(self) -> None:
        super().__init__("other_checker_named", gettext_lazy("This was submitted to somebody else by name."))


class AlreadyProposed(WrongState):
    """One open proposal per subject and act."""

    def __init__(self) -> None:
        super().__init__(str(_("This was already proposed and waits for a second person.")))


class AlreadyDecided(WrongState):
    """Somebody was faster, or time ran out. `proposal` is how it stands now."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(
            str(_("This was already decided: %(state)s.")) % {"state": State(proposal.state).label.lower()}
        )
        self.proposal = proposal


class EvidenceChanged(WrongState):
    """What the first person saw is not what there is; the proposal is void. Its `changes` say what changed."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(str(_("The evidence changed, so this proposal is void. Look at it and propose again.")))
        self.proposal = proposal
        self.changed = sorted(proposal.changes)


def propose(
    act_name: str,
    subject: Any,
    *,
    by: Acts,
    reason: str | None = None,
    note: str | None = None,
    checker: User | None = None,
    **inputs: Any,
) -> Proposal:
    """Park a heavy act until a second person confirms it. Changes nothing else.

    `reason` is a code, `note` free text for the second person (sealed), `checker` the only person who may decide.
    `inputs` go to the act: ids and codes, and those free texts that the act declared as `sealed`.
    Raises Denied (recorded), AlreadyProposed, ConditionsNotMet, and FreeText for words among the plain inputs.
    """
    act = acts.lookup(act_name)
    maker = _user_of(by)
    with transaction.atomic():
        fresh = act.load(subject.pk)
        if maker is None or not by.is_active or not act.may_propose(fresh, by):
            raise _refused(
                "proposals.propose", PersonNeeded() if maker is None else Denied("no_right"), by=by, about=fresh
            )
        if stands_between(maker, getattr(fresh, "audit_subject", None)):
            raise _refused("proposals.propose", KnowsThePlayer(), by=by, about=fresh)
        if Proposal.objects.parked().filter(act=act.name, subject_id=fresh.pk).exists():
            raise AlreadyProposed
        if unmet := [*_reasons_missing(reason), *act.unmet(fresh, **inputs), *_wrong_checker(act, fresh, checker, by)]:
            raise ConditionsNotMet(unmet)
        proposal = _parked(act, fresh, by=by, maker=maker, reason=reason, note=note, checker=checker, inputs=inputs)
        record("proposals.propose", by=by, about=proposal, reason=reason, note=note, details=_facts(proposal))
    return proposal


def confirm(proposal: Proposal, *, by: Acts) -> Proposal:
    """Agree as the second person: the act runs, in one transaction with the proposal's move.

    Must be the outermost transaction: that it became void or expired is committed even though an error is raised.
    Raises SamePerson, PersonNeeded, OtherCheckerNamed, Denied (all recorded), AlreadyDecided, EvidenceChanged, and
    what the act raises.
    """
    act = acts.lookup(proposal.act)
    checker = _second_person(proposal, by=by, action="proposals.confirm")
    with transaction.atomic(durable=True):
        subject, fresh, at = _locked(act, proposal)
        if subject is not None:
            _require_checker(act, subject, fresh, by=by, action="proposals.confirm")
        overtaken = _overtaken(act, subject, fresh, at)
        if overtaken is None:
            human = checker.human_id
            done = perform(
                fresh.confirm,
                by=by,
                reason=fresh.reason or None,
                details=_facts(fresh),
                checker=checker,
                checker_human=human,
                at=at,
            )
            act.run(
                subject, by=by, reason=done.reason, proposal=str(done.pk), maker=done.maker_actor, **inputs_of(done)
            )
            void_overtaken(subject)
            return done  # type: ignore[no-any-return]
    raise overtaken


def send_back(proposal: Proposal, *, by: Acts, note: str) -> Proposal:
    """Do not agree, and say why. The same people may who may confirm. Raises as `confirm` does, but runs nothing."""
    act = acts.lookup(proposal.act)
    checker = _second_person(proposal, by=by, action="proposals.send_back")
    if not note.strip():
        raise ConditionsNotMet([str(_("Say what should be done differently."))])
    with transaction.atomic():
        subject, fresh, at = _locked(act, proposal)
        if subject is not None:
            _require_checker(act, subject, fresh, by=by, action="proposals.send_back")
        if fresh.state != State.PARKED:
            raise AlreadyDecided(fresh)
        return perform(  # type: ignore[no-any-return]
            fresh.send_back,
            by=by,
            note=note,
            details=_facts(fresh),
            checker=checker,
            checker_human=checker.human_id,
            answer_sealed=sealed(fresh, ANSWER, without_cards(note)),
            at=at,
        )


def withdraw(proposal: Proposal, *, by: Acts) -> Proposal:
    """Take it back: the maker alone may, under any sign-in."""
    with transaction.atomic():
        fresh, at = _locked_proposal(proposal)
        if not by.is_active or not is_the_maker(fresh, by):
            raise _refused("proposals.withdraw", Denied("no_right"), by=by, about=fresh)
        if fresh.state != State.PARKED:
            raise AlreadyDecided(fresh)
        return perform(fresh.withdraw, by=by, details=_facts(fresh), at=at)  # type: ignore[no-any-return]


def name_checker(proposal: Proposal, *, checker: User | None, by: Acts) -> Proposal:
    """The maker submits it to somebody else by name, or to nobody: the person named is away, or left."""
    act = acts.lookup(proposal.act)
    with transaction.atomic():
        subject, fresh, _at = _locked(act, proposal)
        if not by.is_active or not is_the_maker(fresh, by):
            raise _refused("proposals.name_checker", Denied("no_right"), by=by, about=fresh)
        if fresh.state != State.PARKED or subject is None:
            raise AlreadyDecided(fresh)
        if unmet := _wrong_checker(act, subject, checker, by):
            raise ConditionsNotMet(unmet)
        before, fresh.named_checker = fresh.named_checker_id, checker
        fresh.version += 1
        fresh.save(update_fields=["named_checker", "version"])
        after = fresh.named_checker_id
        details = _facts(fresh) | {"before": str(before) if before else ""}
        if before != after:
            record("proposals.name_checker", by=by, about=fresh, details=details)
    return fresh


def expire_overdue() -> int:
    """Close what nobody decided in time. It stays in sight (queries.expired_for) and changes nothing. How many."""
    expired = 0
    for proposal in Proposal.objects.overdue().order_by("expires_at"):
        with transaction.atomic():
            fresh, at = _locked_proposal(proposal)
            if fresh.state == State.PARKED:
                _expired(fresh, at)
                expired += 1
    return expired


def _expired(proposal: Proposal, at: datetime) -> Proposal:
    """Nothing happens but that managers are told, by a row of the same transaction."""
    done: Proposal = perform(proposal.expire, by=system(), details=_facts(proposal), at=at)
    post(ESCALATE, payload={"proposal_id": str(done.pk)})
    return done


def void_overtaken(subject: Any) -> int:
    """Void at once what was proposed on evidence of this subject that has changed. How many.

    For whoever changed it, after the change, in the same transaction and with the subject locked. What nobody reports
    is found by `confirm`.
    """
    void = 0
    for proposal in Proposal.objects.parked().filter(subject_id=subject.pk):
        act = acts.lookup(proposal.act)
        now, fresh, at = _locked(act, proposal)
        if fresh.state == State.PARKED and _voided(act, now, fresh, at):
            void += 1
    return void


def void_conflicted(user: User, subject: SubjectRef) -> int:
    """Void what this person proposed about a player before saying that they know them. How many."""
    void = 0
    rows = Proposal.objects.parked().filter(maker_human=user.human_id, key_kind=subject.kind, key_id=subject.id)
    for proposal in rows.order_by("created_at"):
        _subject, fresh, at = _locked(acts.lookup(proposal.act), proposal)
        if fresh.state == State.PARKED:
            changes = {CONFLICT: [None, "declared"]}
            perform(fresh.void, by=system(), details=_facts(fresh) | {"changed": [CONFLICT]}, changes=changes, at=at)
            void += 1
    return void


def changes_of(proposal: Proposal) -> list[Words]:
    """In words what made the proposal void, item by item."""
    if CONFLICT in proposal.changes:
        return [_("Whoever proposed it said later that they know the player.")]
    told = acts.lookup(proposal.act).change_text
    return [told(item, before, now) for item, (before, now) in sorted(proposal.changes.items())]


def _parked(
    act: Act,
    subject: Any,
    *,
    by: Acts,
    maker: User,
    reason: str | None,
    note: str | None,
    checker: User | None,
    inputs: dict[str, Any],
) -> Proposal:
    key = getattr(subject, "audit_subject", INSTALLATION)
    need = act.need(subject, **inputs)
    proposal = Proposal(
        act=act.name,
        log=act.log(subject),
        subject_kind=type(subject)._meta.model_name,
        subject_id=subject.pk,
        matter=getattr(subject, "audit_matter", None) or "",
        licensee_id=getattr(subject, "licensee_id", None),
        key_kind=key.kind,
        key_id=key.id,
        inputs=ids_only({name: value for name, value in inputs.items() if name not in act.sealed}),
        reason=reason or "",
        rule=need.rule,
        policy=need.version,
        evidence_digest=act.digest(subject),
        seen=ids_only(act.seen(subject)),
        maker=maker,
        maker_human_id=maker.human_id,
        maker_actor=str(by.audit_actor),
        named_checker=checker,
        expires_at=timezone.now() + act.expires,
    )
    words = {name: without_cards(str(value)) for name, value in inputs.items() if name in act.sealed}
    proposal.note_sealed = sealed(proposal, NOTE, without_cards(note)) if note else None
    proposal.inputs_sealed = sealed(proposal, INPUTS, json.dumps(words)) if words else None
    try:
        with transaction.atomic():
            proposal.save(force_insert=True)
    except IntegrityError:  # somebody else's proposal was committed since we looked
        raise AlreadyProposed from None
    return proposal


def _user_of(by: Acts) -> User | None:
    """The person behind the actor: the signed-in user, or the owner of an API key. None for the product itself."""
    person = by if isinstance(by, User) else getattr(by, "owner", None)
    return person if isinstance(person, User) else None


def _second_person(proposal: Proposal, *, by: Acts, action: str) -> User:
    """The signed-in person who decides; refused and recorded when it is the maker under any guise, or no person."""
    if is_the_maker(proposal, by):
        raise _refused(action, SamePerson(), by=by, about=proposal)
    if not isinstance(by, User) or not is_another_person(proposal, by):
        raise _refused(action, PersonNeeded(), by=by, about=proposal)
    if not by.is_active:
        raise _refused(action, Denied("not_active"), by=by, about=proposal)
    return by


def _require_checker(act: Act, subject: Any, proposal: Proposal, *, by: Acts, action: str) -> None:
    if not act.may_confirm(subject, by):
        raise _refused(action, Denied("no_right"), by=by, about=proposal)
    if stands_between(by, proposal.audit_subject):
        raise _refused(action, KnowsThePlayer(), by=by, about=proposal)
    named = proposal.named_checker
    if named is not None and not is_named(named, by):
        raise _refused(action, OtherCheckerNamed(), by=by, about=proposal)


def _overtaken(act: Act, subject: Any, proposal: Proposal, at: datetime) -> WrongState | None:
    """Why it cannot be confirmed any more. What becomes void or expires here is to be committed."""
    if proposal.state != State.PARKED:
        return EvidenceChanged(proposal) if proposal.state == State.VOIDED else AlreadyDecided(proposal)
    if proposal.expires_at <= proposal.now:  # type: ignore[attr-defined]  # annotated by _locked_proposal
        return AlreadyDecided(_expired(proposal, at))
    void = _voided(act, subject, proposal, at)
    return EvidenceChanged(void) if void else None


def _voided(act: Act, subject: Any, proposal: Proposal, at: datetime) -> Proposal | None:
    """The proposal, void, when its subject is gone or no longer what the maker saw."""
    if subject is not None and bytes(act.digest(subject)) == bytes(proposal.evidence_digest):
        return None
    before, now = proposal.seen, ids_only(act.seen(subject)) if subject is not None else {}
    items = sorted(item for item in before.keys() | now.keys() if before.get(item) != now.get(item))
    changes = {item: [before.get(item), now.get(item)] for item in items}
    details = _facts(proposal) | {"changed": items}
    return perform(proposal.void, by=system(), details=details, changes=changes, at=at)  # type: ignore[no-any-return]


def _locked(act: Act, proposal: Proposal) -> tuple[Any, Proposal, datetime]:
    """Subject (None when it is gone) and proposal, fresh and locked in this order, and the transaction's time."""
    try:
        subject = act.load(proposal.subject_id)
    except ObjectDoesNotExist:
        subject = None
    return subject, *_locked_proposal(proposal)


def _locked_proposal(proposal: Proposal) -> tuple[Proposal, datetime]:
    fresh = (
        Proposal.objects.select_for_update(of=("self",)).annotate(at=TransactionNow(), now=Now()).get(pk=proposal.pk)
    )
    return fresh, fresh.at  # type: ignore[attr-defined]  # annotated


def _reasons_missing(reason: str | None) -> list[str]:
    return [] if reason else [str(_("Choose a reason."))]


def _wrong_checker(act: Act, subject: Any, checker: User | None, by: Acts) -> list[str]:
    if checker is None:
        return []
    if checker.human_id == by.human_id:
        return [str(_("Name somebody else as the second person."))]
    if not checker.is_active or not act.may_confirm(subject, checker):
        return [str(_("%(name)s may not decide this. Name somebody else or nobody.")) % {"name": checker.name}]
    return []


def _refused(action: str, denied: Denied, *, by: Acts, about: Any) -> Denied:
    record_refusal(action, by=by, about=about, reason=denied.code)
    return denied


def _facts(proposal: Proposal) -> dict[str, Any]:
    """What every entry about it says: enough to find act and subject without the row."""
    return {
        "act": proposal.act,
        "subject_kind": proposal.subject_kind,
        "subject_id": str(proposal.subject_id),
        "inputs": proposal.inputs,
        "evidence_digest": bytes(proposal.evidence_digest).hex(),
        "rule": proposal.rule,
        "policy": proposal.policy,
        "maker": proposal.maker_actor,
        "named_checker": str(proposal.named_checker_id) if proposal.named_checker_id else "",
    }
