"""Opening one restricted case by exception, and its review.

Who may ask: who holds the right and would see the case through its queue if it were not restricted. To everybody else
such a case and none at all are answered alike. It never covers a kind of case that did not say so
(`Kind.by_exception`): matters of the AML side are nobody's exception.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.cards import without_cards
from audit.perform import ConditionsNotMet, Denied, perform
from audit.record import ObjectRef, record, record_refusal
from cases import kinds, numbers
from cases.glass.letters import TELL, supervisors_of
from cases.glass.models import LONGEST, OPEN_RESTRICTED, Opening
from cases.models import Case, Queue
from cases.permissions import VIEW, granted
from cases.queries import CaseQuerySet
from compliance.keys.services import open_sealed, seal
from compliance.outbox.services import post
from compliance.people.conflicts.queries import declared_by
from compliance.people.models import User
from compliance.people.permissions import has_right
from compliance.policy.staff import staff_rules

NOTE, REVIEW = "glass.note", "glass.review"
LEAST_WORDS = 10  # letters of a reason that a stranger understands
BECAUSE: Final[Mapping[str, str | Promise]] = {
    "danger": _("Somebody may be in danger"),
    "player_waits": _("The player is on the line, and nobody named is here"),
    "deadline": _("A deadline runs out, and nobody named is here"),
    "authority": _("An authority asks"),
    "other": _("Something else"),
}


def askable(user: Any) -> CaseQuerySet:
    """Restricted cases that this person may open by exception: they would see them, were they not restricted."""
    rows = Case.objects.filter(restricted=True)
    if not has_right(user, OPEN_RESTRICTED):
        return rows.none()
    known = declared_by(user).filter(customer_id=OuterRef("customer_id"))
    rows = rows.filter(kind__in=kinds.everyday(), queue__in=granted(user, VIEW, Queue).values("pk"))
    return rows.exclude(Exists(known)).exclude(pk__in=Case.objects.visible_to(user).values("pk"))


def masked(words: str, *, user: Any) -> list[Case]:
    """Cases that one may ask for and whose tracking or player number was typed in full. No name leads to one."""
    typed = words.strip().lstrip("#")
    if not typed:
        return []
    try:
        number = numbers.parse(typed)
    except numbers.TypingError:
        number = None
    rows = askable(user)
    found = rows.filter(number=number) if number else rows.filter(account__reference__iexact=typed)
    return list(found.only("number", "kind").order_by("number")[:10])


@transaction.atomic
def open_case(number: str, *, by: User, because: str, note: str, minutes: int) -> Opening:
    """Let `by` see one restricted case for some minutes. Supervisors are told in the same transaction.

    Raises Denied (recorded) for who may not ask, ConditionsNotMet with words of ours otherwise; "there is none" and
    "not for you" are the same words.
    """
    case = askable(by).filter(number=number).first()
    if case is None:
        running = Opening.objects.running().of(by).filter(case__number=number).first()
        if running is not None:
            return running
        raise _refused(number, by=by)
    rules = staff_rules(on=timezone.localdate()).glass
    _check(by, because=because, note=note, minutes=minutes)
    now = timezone.now()
    opening = Opening(
        case=case,
        user=by,
        because=because,
        opened_at=now,
        ends_at=now + min(timedelta(minutes=minutes), LONGEST),
        review_due_at=now + timedelta(hours=rules.review_hours),
    )
    opening.note_sealed = seal(case.audit_subject, NOTE, without_cards(note).encode(), aad=opening.pk.bytes)
    opening.save()
    told = [str(user.pk) for user in supervisors_of(opening)]
    facts = {"opening": str(opening.pk), "ends_at": opening.ends_at, "review_due_at": opening.review_due_at}
    record("glass.open", by=by, about=case, reason=because, note=note, details=facts | {"told": told})
    post(TELL, payload={"opening_id": str(opening.pk)})
    return opening


def _check(by: User, *, because: str, note: str, minutes: int) -> None:
    rules = staff_rules(on=timezone.localdate()).glass
    wrong: list[Any] = []
    if because not in BECAUSE:
        wrong.append(_("Choose a reason."))
    if len(note.strip()) < LEAST_WORDS:
        wrong.append(_("Say in a sentence why it cannot wait."))
    if not 0 < minutes <= rules.minutes:
        wrong.append(_("At most %(n)d minutes.") % {"n": rules.minutes})
    User.objects.select_for_update(of=("self",)).get(pk=by.pk)  # two at once count each other
    today = Opening.objects.filter(user__human_id=by.human_id, opened_at__gt=timezone.now() - timedelta(days=1))
    if today.count() >= rules.most_a_day:
        wrong.append(_("You have done this %(n)d times in a day. Ask a supervisor.") % {"n": rules.most_a_day})
    if wrong:
        raise ConditionsNotMet([str(each) for each in wrong])


def _refused(number: str, *, by: User) -> Exception:
    """The refusal is an entry; the number only where it is written as one of ours."""
    try:
        matter = number if numbers.parse(number) == number else None
    except numbers.TypingError:
        matter = None
    about = ObjectRef("case", matter or "unknown")
    if not has_right(by, OPEN_RESTRICTED):
        record_refusal("glass.open", by=by, about=about, reason="no_right", matter=matter)
        return Denied("no_right")
    record_refusal("glass.open", by=by, about=about, reason="nothing_to_open", matter=matter)
    return ConditionsNotMet([str(_("There is no case with this number that you can open this way."))])


def review(opening: Opening, *, by: User, justified: bool, note: str) -> Opening:
    """What a supervisor found. Raises Denied (recorded) for whoever opened it and for who may not review it."""
    if not justified and not note.strip():
        raise ConditionsNotMet([str(_("Say what was wrong with it."))])
    text = without_cards(note.strip())
    sealed = seal(opening.audit_subject, REVIEW, text.encode(), aad=opening.pk.bytes) if text else None
    move = opening.find_justified if justified else opening.find_unjustified
    return perform(move, by=by, note=text or None, sealed=sealed, at=timezone.now())  # type: ignore[no-any-return]


def note_of(opening: Opening) -> str:
    return _opened(opening, NOTE, opening.note_sealed)


def review_of(opening: Opening) -> str:
    return _opened(opening, REVIEW, opening.review_sealed)


def _opened(opening: Opening, purpose: str, sealed: Any) -> str:
    if not sealed:
        return ""
    return open_sealed(opening.audit_subject, purpose, bytes(sealed), aad=opening.pk.bytes).decode()


def running_on(case: Case, user: Any) -> Opening | None:
    """The access by which this person sees the case now, if it is one."""
    return Opening.objects.running().of(user).filter(case_id=case.pk).first() if case.restricted else None


def overdue() -> Any:
    """Accesses that nobody reviewed in time."""
    return Opening.objects.filter(state=Opening.State.WAITING, review_due_at__lt=timezone.now())
