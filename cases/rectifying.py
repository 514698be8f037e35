"""Correcting what a player declared, as a heavy act: proposed from a case with the paper that shows it, confirmed by
somebody else. What it does is in compliance.people.correcting.

The paper is what the proposal is about, so that its rights are those of the case the paper lies in: whoever does not
see that case, nor may decide there, learns of no proposal. What was corrected from it does not show elsewhere either.
Offered in everyday kinds of case only: their papers show who somebody is, and their cases tell of no suspicion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import Entry
from audit.perform import ConditionsNotMet
from audit.record import query_digest
from cases import comparison, kinds, texts
from cases.models import Case, Evidence
from cases.permissions import DECIDE, VIEW, WORK
from cases.same import reference_of
from compliance.formats import day
from compliance.people import correcting
from compliance.people.models import Customer
from compliance.people.permissions import REVEAL, has_right
from compliance.policy import Need
from compliance.proposals import acts
from compliance.proposals.models import Proposal
from compliance.proposals.queries import require_second_person
from compliance.proposals.sealed import inputs_of
from compliance.proposals.services import void_overtaken
from compliance.rulebook.queries import policy_of

ACT: Final = "people.correct"
SHOWN: Final = 20
REASONS: Final[Mapping[str, str | Promise]] = {
    "typed_wrongly": gettext_lazy("It was typed wrongly"),
    "sent_wrongly": gettext_lazy("It was sent wrongly by the platform"),
    "changed_since": gettext_lazy("It changed since then, such as a name by marriage"),
}
FOLLOWED: Final[Mapping[str, str | Promise]] = {
    "under_age": gettext_lazy("Under age by the right date: the account is stopped"),
    "duplicate": gettext_lazy("Like somebody who is kept out: play is stopped"),
    "others": gettext_lazy("Somebody like this player is stopped too"),
    "register": gettext_lazy("Play is stopped until the register was asked again"),
    "checks": gettext_lazy("Electronic checks are unclear: order them again"),
    "risk": gettext_lazy("The risk has another level"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One field of a correction: what stands there, what should, and what the paper says."""

    label: str | Promise
    old: str
    new: str
    paper: str


@dataclass(frozen=True, slots=True)
class Done:
    """A correction of before, in words; its values are in the log, sealed."""

    at: datetime
    fields: Sequence[str | Promise]
    followed: Sequence[str | Promise]


def is_offered(case: Case) -> bool:
    return case.kind in kinds.everyday()


def papers(case: Case) -> "QuerySet[Evidence]":
    """Files that can show it: those that count in the case, and that passed their inspection."""
    rows = Evidence.objects.filter(case_id=case.pk, state__in=["pending", "accepted"], document__state="ready")
    return rows.select_related("document").order_by("created_at")


def title_of(paper: Evidence) -> str:
    return f"{texts.purpose_title(paper.purpose)} · {texts.document_name(paper.document_type)}"


def side_by_side(case: Case, proposal: Proposal) -> tuple[list[Row], Evidence | None]:
    """What is proposed beside what stands there; and the paper, where it is one of this case."""
    inputs = inputs_of(proposal)
    paper = Evidence.objects.filter(pk=proposal.subject_id, case_id=case.pk).select_related("document").first()
    read = comparison.of(case.customer, paper.document) if paper else {}
    return [
        Row(label, _plain(case.customer, field), shown(inputs[field], field), _read(read.get(field), field))
        for field, label in correcting.FIELDS.items()
        if field in inputs
    ], paper


def declared(customer: Customer) -> list[tuple[str | Promise, str]]:
    """What stands there now, by field."""
    return [(label, _plain(customer, field)) for field, label in correcting.FIELDS.items()]


def shown(value: Any, field: str) -> str:
    """A value as pages write it: a date of birth in the reader's way, also one that a proposal keeps as text."""
    if field != "birth_date" or not value:
        return str(value or "")
    return day(value if isinstance(value, date) else date.fromisoformat(str(value)))


def _read(compared: comparison.Compared | None, field: str) -> str:
    return shown(compared.plain, field) if compared else ""


def waiting(case: Case) -> Proposal | None:
    """The correction that waits in this case; what waits in another one is not told here."""
    found: Proposal | None = _parked(case).select_related("maker").first()
    return found


def _parked(case: Case) -> "QuerySet[Proposal]":
    rows = Proposal.objects.of_log("main").parked()
    return rows.filter(act=ACT, subject_id__in=Evidence.objects.filter(case_id=case.pk).values("pk"))


def done(customer: Customer, user: Any) -> list[Done]:
    """The corrections of before from cases that this person sees, newest first."""
    seen = list(_cases(user, VIEW).filter(customer_id=customer.pk).values_list("number", flat=True))
    entries = Entry.objects.filter(log="main", action=ACT, object_id=str(customer.pk), matter__in=seen)
    facts = [(row.at, row.facts["data"]) for row in entries.exclude(outcome="refused").order_by("-id")[:SHOWN]]
    return [
        Done(
            at,
            [correcting.FIELDS[name] for name in data["declared"]],
            [FOLLOWED.get(code, code) for code in data["followed"]],
        )
        for at, data in facts
    ]


def corrected(case: Case) -> dict[str, list[str | Promise]]:
    """Which fields were corrected from this case, by the id of the proposal; not their values."""
    entries = Entry.objects.filter(log="main", action=ACT, matter=case.number, outcome="done")
    facts = [row.facts["data"] for row in entries]
    return {data["proposal"]: [correcting.FIELDS[name] for name in data["declared"]] for data in facts}


# --------------------------------------------------------------------------------------------------- the heavy act
def correct(
    paper: Evidence,
    *,
    by: Any,
    reason: str,
    proposal: str | None = None,
    maker: str | None = None,
    **given: str,
) -> None:
    """Two persons agree: the data are these now. What was proposed on the former ones is void."""
    require_second_person(ACT, paper, proposal=proposal)
    if unmet := _unmet(paper, **given):
        raise ConditionsNotMet(unmet)
    customer, about = paper.case.customer, {"proposal": proposal or "", "maker": maker or ""}
    correcting.correct(customer, given, by=by, reason=reason, matter=paper.case.number, evidence=str(paper.pk), **about)
    for overtaken in (*_locking(paper.case), *_with_another(paper)):
        void_overtaken(overtaken)


def _locking(case: Case) -> "QuerySet[Case]":
    """The cases that wait while the player is corrected: this one, and what is open beside it."""
    concerned = Case.objects.filter(customer_id=case.customer_id, kind__in=kinds.everyday())
    return concerned.filter(Q(closed_at=None) | Q(pk=case.pk)).order_by("pk")


def _with_another(paper: Evidence) -> "QuerySet[Evidence]":
    """Papers of the player with a correction of their own that waits, whoever sees it."""
    parked = Proposal.objects.of_log("main").parked().filter(act=ACT).values("subject_id")
    rows = Evidence.objects.filter(case__customer_id=paper.case.customer_id, pk__in=parked)
    return rows.exclude(pk=paper.pk).order_by("pk")


def _load(pk: Any) -> Evidence:
    """Cases first and then the player, as a decision on a case locks them."""
    case = Case.objects.get(evidence=pk)
    list(_locking(case).select_for_update(of=("self",)))
    correcting.locked(case.customer_id)
    found: Evidence = Evidence.objects.select_related("document", "case__customer__licensee").get(pk=pk)
    return found


def _declared(customer: Customer) -> str:
    """Keyed, because a name or a day of birth can be guessed."""
    return query_digest(repr([str(getattr(customer, field)) for field in correcting.FIELDS]))


def _unmet(paper: Evidence, **given: str) -> list[str]:
    """Why it cannot be corrected so, in words."""
    case = paper.case
    if case.customer.erased_at:
        return [_("The player was erased: there is nothing left to correct.")]
    if case.closed_at is not None or case.merged_into_id is not None or not is_offered(case):
        return [_("This case is closed. Propose it in a case that is open.")]
    if not papers(case).filter(pk=paper.pk).exists():
        return [_("Choose a file of this case that shows it.")]
    if _parked(case).exclude(subject_id=paper.pk).exists():
        return [_("This was already proposed and waits for a second person.")]
    try:
        correcting.differing(case.customer, given)
    except ValidationError as error:
        return list(error.messages)
    return []


def _plain(customer: Customer, field: str) -> str:
    return shown(getattr(customer, field), field)


def _consequence(paper: Evidence, **inputs: Any) -> str:
    said = [
        _("%(field)s: instead of %(old)s, %(new)s.")
        % {"field": label, "old": _plain(paper.case.customer, field) or "–", "new": shown(inputs[field], field)}
        for field, label in correcting.FIELDS.items()
        if field in inputs
    ]
    return " ".join([*said, _("Search, likenesses, age and risk follow at once. Nothing that is stopped is allowed.")])


def _cases(user: Any, permission: str) -> "QuerySet[Case]":
    """A date of birth in full is for who may see what is masked."""
    rows = Case.objects.allowed_to(user, permission).filter(kind__in=kinds.everyday())
    return rows if has_right(user, REVEAL) else rows.none()


def _may(permission: str) -> Any:
    def may(paper: Evidence, user: Any) -> bool:
        return _cases(user, permission).filter(pk=paper.case_id).exists()

    return may


def _visible(user: Any) -> Any:
    proposed = Proposal.objects.of_log("main").filter(act=ACT).values("subject_id")
    rows = Evidence.objects.filter(pk__in=proposed, case__in=_cases(user, DECIDE).order_by().values("pk"))
    return rows.values_list("pk", flat=True)


def _need(paper: Evidence, **inputs: Any) -> Need:
    licensee = paper.case.customer.licensee
    return policy_of(licensee, on=licensee.today()).need_two(ACT)


acts.register(
    acts.Act(
        name=ACT,
        title=gettext_lazy("Correct what the player declared"),
        run=correct,
        load=_load,
        digest=lambda paper: _declared(paper.case.customer).encode(),
        seen=lambda paper: {"declared": _declared(paper.case.customer)},
        change_text=lambda item, before, now: _("What the player declared is another since."),
        may_propose=_may(WORK),
        may_confirm=_may(DECIDE),
        sees=_may(VIEW),
        visible=_visible,
        need=_need,
        unmet=_unmet,
        facts=lambda paper: [(_("Player"), reference_of(paper.case.customer))],
        reason_text=lambda code: REASONS.get(code, code),
        consequence=_consequence,
        subject_url=lambda paper: reverse("cases:rectify", args=[paper.case.number]),
        sealed=frozenset(correcting.FIELDS),
    )
)
