"""Second looks: drawn by chance, taken by somebody who took no part, judged blind, settled where the two disagree.

A case that one looks at again is not there for them: no list, search or page shows it (`CaseQuerySet.allowed_to`) until
their own verdict is in. What they judge by is what the first person had: the files and what the player declared.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.actors import Acts, system
from audit.cards import without_cards
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, perform
from audit.record import query_digest, record, record_refusal
from cases import kinds
from cases.models import Case, Queue
from cases.permissions import VIEW, granted
from cases.quality.models import LOOK_AGAIN, SecondLook
from compliance.keys.services import open_sealed, seal
from compliance.people.conflicts.queries import stands_between
from compliance.people.models import Customer, User
from compliance.rulebook.queries import policy_at

NOTE = "quality.note"
WINDOW = timedelta(days=3)  # how far back a sweep looks for closed cases; it runs every few minutes
# What a look at a list leaves behind does not make one a witness of a case.
NO_PART = ("cases.list", "cases.search", "quality.take", "quality.give_back")


# ------------------------------------------------------------------------------------------------------- drawing
def draw(*, now: datetime | None = None) -> int:
    """Draw from the cases that closed lately the share that their policy asks for. Twice draws none twice."""
    now = now or timezone.now()
    kinds_judged = {kind.name: {code for code, _label in kind.judged()} for kind in kinds.kinds().values()}
    asked = Q(pk__in=[])
    for name, outcomes in kinds_judged.items():
        asked |= Q(kind=name, outcome__in=outcomes)
    taken = SecondLook.objects.filter(case=OuterRef("pk"), closed_at=OuterRef("closed_at"))
    closed = Case.objects.filter(asked, ~Exists(taken), closed_at__gt=now - WINDOW, restricted=False)
    rows = closed.order_by("closed_at", "pk").values_list("pk", "closed_at", "policy_version")
    return sum(
        _draw(pk, percent, version)
        for pk, closed_at, version in rows
        if (percent := _share(version)) and lot(pk, closed_at) < percent
    )


def _share(version: str) -> int:
    """Per cent of the closed cases, by the policy that the case pinned; 0 where it says nothing."""
    quality: Any = policy_at(version).quality  # reading an absent rule raises
    return int(quality.second_look_percent.value) if quality.known("second_look_percent") else 0


def lot(pk: Any, closed_at: Any) -> float:
    """From 0 to under 100, always the same for one closing: keyed, so that nobody can tell before which are drawn."""
    return int(query_digest(f"second look|{pk}|{closed_at.isoformat()}"), 16) % 10_000 / 100


@transaction.atomic
def _draw(pk: Any, percent: int, policy: str) -> bool:
    case = Case.objects.select_for_update(of=("self",)).get(pk=pk)
    if case.closed_at is None:
        return False  # reopened a moment ago
    facts = {"first_outcome": case.outcome, "drawn_at": timezone.now()}
    look, made = SecondLook.objects.get_or_create(case=case, closed_at=case.closed_at, defaults=facts)
    if made:
        record("quality.draw", by=system(), about=look, details={"percent": percent, "policy": policy})
    return made


# -------------------------------------------------------------------------------------------------------- looking
def waiting_for(user: Any) -> "QuerySet[SecondLook]":
    """What this person may take: of cases they see, that nobody took and in which they had no part, oldest first."""
    if not user.has_perm(LOOK_AGAIN):
        return SecondLook.objects.none()
    drawn = SecondLook.objects.visible_to(user).filter(state=SecondLook.State.DRAWN, reviewer=None)
    sign_ins = [str(pk) for pk in User.objects.filter(human=user.human_id).values_list("pk", flat=True)]
    part = Entry.objects.filter(matter=OuterRef("case__number"), actor_kind="staff", actor_id__in=sign_ins)
    return drawn.exclude(Exists(part.exclude(action__in=NO_PART))).order_by("drawn_at", "pk")


@transaction.atomic
def take(*, by: User) -> SecondLook | None:
    """The oldest one that waits for this person; the one they have already, if there is one. Two people get two."""
    if not by.has_perm(LOOK_AGAIN):
        record_refusal("quality.take", by=by, about=by, reason="no_right")
        raise Denied("no_right")
    held = SecondLook.objects.held_by(by).order_by("drawn_at").first()
    if held is not None:
        return held
    look = waiting_for(by).select_for_update(of=("self",), skip_locked=True).first()
    if look is None:
        return None
    _hand(look, by, action="quality.take", by=by)
    return look


@transaction.atomic
def give_back(look: SecondLook, *, by: User) -> None:
    """Somebody else looks: the person who gave it back saw the case and does not get it again."""
    look = SecondLook.objects.select_for_update(of=("self",)).get(pk=look.pk)
    if not SecondLook.objects.held_by(by).filter(pk=look.pk).exists():
        raise Denied("no_right")
    _hand(look, None, action="quality.give_back", by=by)


@transaction.atomic
def give_back_of(customer: Customer, user: User, *, by: Acts) -> None:
    """What this person, who knows the player, has in hand of that player: somebody else looks."""
    looks = SecondLook.objects.held_by(user).filter(case__customer=customer)
    for look in looks.select_for_update(of=("self",)).order_by("pk"):
        _hand(look, None, action="quality.give_back", by=by)


def _hand(look: SecondLook, to: User | None, *, action: str, by: Acts) -> None:
    before, look.reviewer = look.reviewer_id, to
    look.version += 1
    look.save(update_fields=["reviewer", "version"])
    record(action, by=by, about=look, changes={"reviewer_id": (before, look.reviewer_id)})


def get_held(look_id: Any, *, user: Any) -> SecondLook:
    """The look that this person holds; Http404 to everybody else, to who knows the player, and once a right or the
    case is taken from them.
    """
    look = SecondLook.objects.held_by(user).select_related("case").filter(pk=look_id).first()
    if look is None or not user.is_active or not user.has_perm(LOOK_AGAIN) or look.case.restricted:
        raise Http404("no such look")
    known = stands_between(user, look.case.audit_subject)
    if known or not granted(user, VIEW, Queue).filter(pk=look.case.queue_id).exists():
        raise Http404("no such look")
    return look


def judge(look: SecondLook, *, by: User, outcome: str, note: str = "") -> SecondLook:
    """The second verdict. Whether it agrees is found out by comparing, never asked."""
    known = {code for code, _label in kinds.lookup(look.case.kind).judged()}
    if outcome not in known:
        raise ConditionsNotMet([str(_("Choose an outcome."))])
    text = without_cards(note).strip()
    sealed = seal(look.case.audit_subject, NOTE, text.encode(), aad=look.pk.bytes) if text else None
    move = look.agree if outcome == look.first_outcome else look.disagree
    done: SecondLook = perform(move, by=by, note=text or None, outcome=outcome, sealed=sealed, at=timezone.now())
    return done


def settle(look: SecondLook, *, by: User, conclusion: str, note: str = "") -> SecondLook:
    """What the team concludes. Where the second look is right, the case is reopened by its own act, by two persons."""
    if conclusion not in SecondLook.Conclusion.values:
        raise ConditionsNotMet([str(_("Say which verdict was right."))])
    text = without_cards(note).strip()
    done: SecondLook = perform(look.settle, by=by, note=text or None, conclusion=conclusion, at=timezone.now())
    return done


def note_of(look: SecondLook) -> str:
    """What the second person wrote, opened from its seal."""
    if look.note_sealed is None:
        return ""
    return open_sealed(look.case.audit_subject, NOTE, bytes(look.note_sealed), aad=look.pk.bytes).decode()


# ------------------------------------------------------------------------------------------------------ agreement
@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two who did not know of each other found the same. `rate` is None below ten: too few to say."""

    judged: int
    agreed: int
    waiting: int

    @property
    def rate(self) -> float | None:
        return self.agreed / self.judged if self.judged >= LEAST else None


LEAST = 10


def agreement(looks: "QuerySet[SecondLook]", *, since: datetime) -> Agreement:
    drawn, agreed = Q(state=SecondLook.State.DRAWN), Q(state=SecondLook.State.AGREED)
    counts = looks.filter(drawn | Q(judged_at__gte=since)).aggregate(
        judged=Count("pk", filter=~drawn), agreed=Count("pk", filter=agreed), waiting=Count("pk", filter=drawn)
    )
    return Agreement(**counts)


def disagreements(looks: "QuerySet[SecondLook]") -> "QuerySet[SecondLook]":
    """What waits to be settled, oldest first."""
    open_ones: QuerySet[SecondLook] = looks.filter(state=SecondLook.State.DISAGREED).select_related(
        "case__account", "reviewer"
    )
    return open_ones.order_by("judged_at", "pk")
