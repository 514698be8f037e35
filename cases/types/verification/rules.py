"""What a verification needs. The numbers and lists come from the policy that was pinned when the case was opened."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from audit.record import query_digest
from cases import texts
from cases.clocks.models import Clock, Kind
from cases.models import Case, Evidence
from cases.types.verification import objecting
from cases.types.verification.checks import rules as electronic
from cases.types.verification.checks.models import Check as Electronic
from compliance import formats
from compliance.policy.schema import EvidenceRule
from compliance.rulebook.queries import policy_at

if TYPE_CHECKING:
    from cases.types.verification.models import Verification


# Items of `evidence_seen` beside the purposes.
PLAYER, CASE, ELECTRONIC = "player", "case", "check:"
NOT_GOOD = ("returned", "expired")
ONE_OPEN = _("This player already has an open verification.")


@dataclass(frozen=True, slots=True)
class Check:
    """One row of "What is missing": a purpose, its newest evidence, and how it stands in one word."""

    purpose: str
    title: str
    evidence: Evidence | None
    status: str  # missing | pending | accepted | returned | rejected | expired
    met_by: str = ""  # the electronic check, in words, that stands in place of a document

    @property
    def is_met(self) -> bool:
        return self.status == "accepted"


def asked(case: Case) -> tuple[EvidenceRule, ...]:
    """What the pinned policy asks for at this level, in its order; then what enhanced due diligence adds."""
    required = asked_at_level(case)
    if not case.verification_facts.enhanced:
        return required
    here = {rule.purpose for rule in required}
    further = policy_at(case.policy_version).enhanced.required
    return (*required, *(rule for rule in further if rule.purpose not in here))


def asked_at_level(case: Case) -> tuple[EvidenceRule, ...]:
    required: tuple[EvidenceRule, ...] = (
        policy_at(case.policy_version).verification.level(case.verification_facts.level).required
    )
    return required


def offers(case: "Verification") -> list[tuple[str, str]]:
    """The pairs of purpose and document type that the case takes."""
    return [(rule.purpose, document_type) for rule in asked(case) for document_type in rule.any_of]


def checks(case: "Verification") -> list[Check]:
    """Every purpose asked for or offered, with its newest evidence that was not replaced."""
    current = case.evidence.exclude(state="superseded").select_related("document").order_by("created_at")
    newest = {evidence.purpose: evidence for evidence in current}
    waived = _waived(case, {(e.purpose, e.document_type) for e in newest.values() if e.state == "accepted"})
    otherwise = met_otherwise(case, newest)
    purposes = [rule.purpose for rule in asked(case)]
    purposes += [purpose for purpose in newest if purpose not in purposes]
    return [
        _check(purpose, newest.get(purpose), otherwise.get(purpose))
        for purpose in purposes
        if purpose not in waived or purpose in newest
    ]


def _check(purpose: str, evidence: Evidence | None, otherwise: Electronic | None) -> Check:
    status = "accepted" if otherwise else evidence.state if evidence else "missing"
    return Check(purpose, texts.purpose_title(purpose), evidence, status, str(otherwise or ""))


def met_otherwise(case: Case, newest: Mapping[str, Evidence] | None = None) -> dict[str, Electronic]:
    """By purpose the electronic check that meets it in place of a document, where the pinned policy allows one.

    A file that waits for its verdict is judged first, one refused for good stands against it, and where one is asked
    again the check must be asked after the verdict. What failed, differs, is unclear or never came meets nothing.
    `newest` is the newest file of each purpose, if known.
    """
    newest = _newest(case) if newest is None else newest
    verification = policy_at(case.policy_version).verification
    allowed = {rule.purpose: verification.instead_of(rule) for rule in asked(case)}
    allowed = {purpose: kinds for purpose, kinds in allowed.items() if kinds and _is_open(newest.get(purpose))}
    confirmed = electronic.confirmed(case) if allowed else {}
    found: dict[str, Electronic] = {}
    for purpose, kinds in allowed.items():
        given = newest.get(purpose)
        since = given.decided_at if given else None
        for check in (confirmed[kind] for kind in kinds if kind in confirmed):
            if since is None or check.asked_at > since:  # what was asked before speaks of the file that was refused
                found.setdefault(purpose, check)
    return found


def _is_open(evidence: Evidence | None) -> bool:
    return evidence is None or evidence.state in NOT_GOOD


def _newest(case: Case) -> dict[str, Evidence]:
    """The newest file of each purpose that was not replaced."""
    rows = Evidence.objects.filter(case_id=case.pk).exclude(state="superseded").order_by("created_at")
    return {evidence.purpose: evidence for evidence in rows}


def missing_evidence(case: "Verification") -> list[str]:
    """What the policy pinned at opening asks for and the case still lacks."""
    newest = _newest(case)
    accepted = {(e.purpose, e.document_type) for e in newest.values() if e.state == "accepted"}
    done = {purpose for purpose, _type in accepted} | _waived(case, accepted)
    missing = [rule.purpose for rule in asked(case) if rule.purpose not in done]
    otherwise = met_otherwise(case, newest) if missing else {}
    return [purpose for purpose in missing if purpose not in otherwise]


def _waived(case: "Verification", accepted: set[tuple[str, str]]) -> set[str]:
    """Purposes that an accepted document of another purpose makes unnecessary: a passport has no back."""
    types = {document_type for _purpose, document_type in accepted}
    return {rule.purpose for rule in asked(case) if types & set(rule.waived_by)}


def another_is_open(customer_id: Any, *, but: Any = None) -> bool:
    """Whether the player has an open verification, `but` aside."""
    return bool(Case.objects.open().filter(kind="verification", customer_id=customer_id).exclude(pk=but).exists())


def evidence_is_complete(case: Any) -> bool:
    return not missing_evidence(case)


def what_is_missing(case: Any) -> list[str]:
    """The open checks in words."""
    return [
        str(_("Not accepted yet: {item}")).format(item=texts.purpose_title(purpose))
        for purpose in missing_evidence(case)
    ]


def answer_due(case: "Verification", now: datetime) -> datetime:
    """Until when the player may answer a request sent now: the end of the last day, in the licensee's zone."""
    days: Any = policy_at(case.policy_version).verification.answer_days  # reading an absent rule raises
    when_unanswered(case)  # nobody is given a time of which no rule says what follows when it passes
    licensee = case.licensee
    return licensee.day_starts(licensee.day_of(now) + timedelta(days=days.value + 1))


def when_unanswered(case: "Verification") -> str:
    """What follows when the player does not answer, such as "lapse". PolicyNotVerified where nothing is stated."""
    rule: Any = policy_at(case.policy_version).verification.when_unanswered
    return str(rule.value)


def when_late(case: "Verification") -> tuple[str, ...]:
    """What follows when the law's time for due diligence passes (`complete_within`), by the pinned policy."""
    return stated_when_late(case.policy_version)


def stated_when_late(version: str) -> tuple[str, ...]:
    """The same by a version of the policy."""
    rules = policy_at(version).verification
    rule: Any = rules.when_late if rules.known("when_late") and rules.known("complete_within") else None
    return tuple(rule.value) if rule is not None else ()


def laws_clocks() -> "QuerySet[Clock]":
    """Clocks of the law whose time is over, by the database's clock."""
    due = ExpressionWrapper(F("started_at") + F("target"), output_field=DateTimeField())
    return Clock.objects.alias(due=due).filter(kind=Kind.STATUTORY, stopped_at=None, due__lte=Now())


def law_time_is_over(case: "Verification") -> bool:
    """Whether due diligence had to be complete by now, and the pinned policy says what follows."""
    if "end" not in when_late(case):
        return False
    rule: Any = policy_at(case.policy_version).verification.complete_within
    return laws_clocks().filter(case_id=case.pk, rule=rule.id).exists()


def time_is_over(case: Case) -> bool:
    """Whether the case waits longer than the player was given. By the database's clock."""
    return Case.objects.filter(pk=case.pk, waiting_for="player", verification_facts__answer_due_at__lte=Now()).exists()


def age(evidence: Evidence, issued_on: date | None, on: date) -> tuple[date | None, list[str]]:
    """Until when a file accepted on this day is good by the pinned policy, and why it is too old already, in words."""
    rule = next((rule for rule in asked(evidence.case) if rule.purpose == evidence.purpose), None)
    if rule is None:
        return None, []
    received_on = min(on, evidence.case.licensee.day_of(evidence.created_at))
    unmet = []
    if rule.max_age_days and issued_on and received_on - issued_on > timedelta(days=rule.max_age_days):
        unmet = [str(_("It was older than %(days)s days when it arrived.")) % {"days": rule.max_age_days}]
    return (on + timedelta(days=rule.good_for_days) if rule.good_for_days else None), unmet


def level_of(case: Case) -> str:
    """The level that a verification is to reach; `case` may be the engine's row of it."""
    return str(case.verification_facts.level)


def standing(case: "Verification") -> str:
    """Where the verdicts have brought the case, in one word: closed | wait | judge | refuse | ask | approve | lacking.

    A file that was refused for good asks for a refusal; one to be asked again for a request; nothing is approved
    before everything is accepted.
    """
    if case.closed_at is not None:
        return "closed"
    if case.waiting_for:
        return "wait"
    found = {check.status for check in checks(case)}
    if "pending" in found:
        return "judge"
    if "rejected" in found:
        return "refuse"
    if asked_again(case):
        return "ask"
    return "lacking" if missing_evidence(case) else "approve"


def refused_for_good(case: "Verification") -> list[Check]:
    """Items whose newest file was refused for good."""
    return [check for check in checks(case) if check.status == "rejected"]


def awaited(case: Case) -> list[Evidence]:
    """What the player was asked for and did not bring yet: the newest file of a purpose is not good any more."""
    newest = _newest(case)
    waited = [evidence for evidence in newest.values() if evidence.state in NOT_GOOD]
    otherwise = met_otherwise(case, newest) if waited else {}
    return [evidence for evidence in waited if evidence.purpose not in otherwise]


def asked_again(case: Case) -> list[Evidence]:
    """Files that were judged "ask again" or are out of date, and of which the player was not told yet."""
    return [evidence for evidence in awaited(case) if not evidence.told]


def told(case: "Verification", purpose: str, code: str) -> texts.Text:
    """What the player will read for a reason, in their language and with what this case asks for."""
    rule = next(rule for rule in asked(case) if rule.purpose == purpose)
    language = case.account.language
    values = texts.values_for(rule, language) | {"date": objecting.last_day(case, language)}
    return texts.player_text(code, language, number=case.number, **values)


def letter(case: "Verification", *, due: datetime, lacking: Sequence[EvidenceRule] = (), line: str = "") -> texts.Text:
    """The one message that names everything the player has to bring until when, and what is already fine.

    `lacking` are items that no file was brought for and that are asked for now; `line` is what staff add of their own.
    """
    language, items = case.account.language, []
    for evidence in asked_again(case):
        faults = " ".join(told(case, evidence.purpose, code) for code in evidence.reasons)
        items.append(f"{texts.purpose_title(evidence.purpose, language)}: {faults}")
    for rule in lacking:
        items.append(f"{texts.purpose_title(rule.purpose, language)}: {texts.what_to_bring(rule, language)}")
    accepted = case.evidence.filter(state="accepted").order_by("created_at").values_list("purpose", flat=True)
    kept = [texts.purpose_title(purpose, language) for purpose in (*accepted, *met_otherwise(case))]
    last = formats.day(due - timedelta(minutes=1), zone=case.licensee.zone, language=language)
    request = texts.request_letter(language, number=case.number, items=items, kept=kept, deadline=last)
    return texts.with_line(request, line) if line else request


def evidence_digest(case: "Verification") -> bytes:
    """What a decision was made on: every current file, its verdict, the declared data. Notes do not count."""
    digest = hashlib.sha256(b"verification/3")
    rows = (
        case.evidence.exclude(state="superseded")
        .order_by("id")
        .values_list("id", "purpose", "state", "document_id", "document__ciphertext_digest")
    )
    for row in rows:
        digest.update(
            repr([value.hex() if isinstance(value, bytes | memoryview) else str(value) for value in row]).encode()
        )
    for purpose, check in sorted(met_otherwise(case).items()):
        digest.update(repr([purpose, str(check.pk), str(check.said_at)]).encode())
    # The digest stands in the log in public, so what the player said of themselves goes in keyed: it can be guessed.
    declared = query_digest(repr([str(value) for value in _declared(case)]))
    standing: tuple[Any, ...] = (case.level, case.policy_version, case.closed_at is not None, case.outcome)
    standing += ("enhanced",) if case.verification_facts.enhanced else ()
    digest.update(repr([declared, *(str(value) for value in standing)]).encode())
    return digest.digest()


def _declared(case: "Verification") -> tuple[Any, ...]:
    """What the player said of themselves."""
    customer = case.customer
    number = bytes(customer.national_id_index or b"").hex()
    return customer.full_name, customer.birth_date, customer.nationality, customer.address, number


def evidence_seen(case: "Verification") -> dict[str, str]:
    """The same evidence item by item, so that a void proposal can say what changed. Names and dates are digests."""
    rows = (
        case.evidence.exclude(state="superseded").order_by("created_at").values_list("purpose", "state", "document_id")
    )
    seen = {purpose: f"{state}:{document}" for purpose, state, document in rows}
    seen |= {f"{ELECTRONIC}{purpose}": str(check.pk) for purpose, check in met_otherwise(case).items()}
    # Keyed, because a name or a day of birth can be guessed.
    seen[PLAYER] = query_digest(repr([str(value) for value in _declared(case)]))
    seen[CASE] = case.outcome or "open"
    return seen


def change_text(item: str, before: str | None, now: str | None) -> str:
    """In words what became of one item of `evidence_seen`."""
    if item == PLAYER:
        return str(_("The player’s own data were changed."))
    if item == CASE:
        return str(_("The case was closed or reopened."))
    if item.startswith(ELECTRONIC):
        title = texts.purpose_title(item.removeprefix(ELECTRONIC))
        return str(_("%(item)s: what an electronic check says of it changed")) % {"item": title}
    title = texts.purpose_title(item)
    was, _dash, old = (before or "").partition(":")
    state, _dash, new = (now or "").partition(":")
    if not was:
        return str(_("%(item)s: a file was added")) % {"item": title}
    if old != new:
        return str(_("%(item)s: another file took the place of the one that was seen")) % {"item": title}
    return str(_("%(item)s: was “%(before)s”, is now “%(now)s”")) % {
        "item": title,
        "before": Evidence.State(was).label,
        "now": Evidence.State(state).label,
    }
