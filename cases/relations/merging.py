"""Merging two cases of one kind and player, and undoing it.

The merged case keeps its number, state, files, notes and log, and is read only. Its open tasks and its earlier due time
go to the other case, whose history shows both. Its service clocks pause; legal deadlines run on and are shown with the
other case. Undoing puts back what went along, but for the moment of the last contact.
"""

from collections.abc import Mapping
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.perform import ConditionsNotMet, Denied, WrongState
from audit.record import record, record_refusal
from cases.clocks import services as clocks
from cases.clocks.models import Clock
from cases.contacts.models import Task
from cases.happenings import tell
from cases.marks.models import ClosedCase
from cases.models import Case
from cases.permissions import DECIDE, VIEW, WORK, may
from cases.relations.models import Merge
from cases.relations.services import both_locked
from cases.services import in_touch, require
from compliance.people.models import User
from compliance.proposals.queries import open_proposal

PAUSED_BECAUSE: Final = "merged"
BECAUSE: Final[Mapping[str, str | Promise]] = {
    "opened_twice": gettext_lazy("The same matter was opened twice"),
    "goes_on": gettext_lazy("The matter goes on in the other case"),
}


def unmet(source: Case, target: Case) -> list[str]:
    """Why one cannot be merged into the other, in words."""
    wrong = []
    if source.pk == target.pk:
        return [_("This is the same case.")]
    if source.kind != target.kind or source.customer_id != target.customer_id:
        wrong.append(_("Only cases of the same kind and the same player are merged."))
    if source.merged_into_id or target.merged_into_id or Case.objects.filter(merged_into=source).exists():
        wrong.append(_("One of them is part of a merge already. Undo that first."))
    if target.closed_at is not None:
        wrong.append(_("The case that goes on is finished. Choose one that is open."))
    if source.restricted != target.restricted:
        wrong.append(_("One of them is restricted. Both have to be, or neither."))
    elif ClosedCase.objects.filter(case__in=[source.pk, target.pk]).count() == 1:
        wrong.append(_("Of one of them the player’s mark says who sees it, the other is restricted on its own."))
    if open_proposal(source) is not None:
        wrong.append(_("A proposal waits on the case to be merged. Decide it first."))
    return wrong


@transaction.atomic
def merge(source: Case, into: Case, *, by: User, because: str) -> Merge:
    """Go on with one of two cases. ConditionsNotMet with every reason against it."""
    require(WORK, source, by=by, action="relations.merge")
    require(WORK, into, by=by, action="relations.merge")
    source, target = both_locked(source, into)
    wrong = unmet(source, target) + ([] if because in BECAUSE else [_("Choose a reason.")])
    if wrong:
        raise ConditionsNotMet(wrong)
    now, due_before = timezone.now(), target.due_at
    tasks = list(Task.objects.filter(case_id=source.pk, closed_at=None).values_list("pk", flat=True))
    Task.objects.filter(pk__in=tasks).update(case=target)
    done = Merge.objects.create(
        source=source,
        target=target,
        reason=because,
        due_before=due_before,
        due_after=min(due_before, source.due_at) if source.closed_at is None else due_before,
        moved_tasks=[str(pk) for pk in tasks],
        merged_at=now,
        merged_by=by,
    )
    for clock in Clock.objects.filter(case_id=source.pk, stopped_at=None).exclude(kind="statutory"):
        clocks.pause(clock, by=by, reason=PAUSED_BECAUSE, at=now)
    source.merged_into, target.due_at = target, done.due_after
    _save(source, "merged_into")
    _save(target, "due_at")
    if source.last_contact_at is not None:
        in_touch(target, at=source.last_contact_at)
    facts = {"due_at": target.due_at, "tasks": len(tasks)}
    record("relations.merge", by=by, about=source, reason=because, details={"other": target.number} | facts)
    record("relations.take_in", by=by, about=target, reason=because, details={"other": source.number} | facts)
    tell(target, "merged", by=by, to=[source.assignee])
    return done


@transaction.atomic
def unmerge(done: Merge, *, by: User) -> None:
    """Put everything back. For who may decide on the case that went on; who did it once need not be asked.

    The last contact stays as merged: a contact with the player is one with the player of both, and what came since is
    not told apart.
    """
    if not may(by, DECIDE, done.target) or not may(by, VIEW, done.source):
        record_refusal("relations.unmerge", by=by, about=done.target, reason="no_right")
        raise Denied("no_right")
    source, target = both_locked(done.source, done.target)
    done = Merge.objects.select_for_update(of=("self",)).get(pk=done.pk)
    if done.undone_at is not None:
        raise WrongState(_("This merge was undone already."))
    now = timezone.now()
    back = Task.objects.filter(pk__in=done.moved_tasks, case=target)
    back.update(case=source)
    for clock in Clock.objects.filter(case_id=source.pk, stopped_at=None, pauses__reason=PAUSED_BECAUSE).distinct():
        clocks.resume(clock, by=by, at=now)
    source.merged_into = None
    _without(done, target)
    _save(source, "merged_into")
    _save(target, "due_at")
    done.undone_at, done.undone_by = now, by
    done.save(update_fields=["undone_at", "undone_by"])
    record("relations.unmerge", by=by, about=source, details={"other": target.number})
    record("relations.unmerge", by=by, about=target, details={"other": source.number, "due_at": target.due_at})
    tell(target, "merged", by=by, to=[source.assignee])


def _without(done: Merge, target: Case) -> None:
    """Work the target's due time out again without one of its merges: its own, or that of a source still merged.

    What the later merges found is rewritten, so that they can be undone in any order. A due time that somebody changed
    since the last merge stays as it is.
    """
    merges = taken_in(target)
    as_merged, due_at = merges[-1].due_after, merges[0].due_before
    for one in merges:
        if one.pk == done.pk:
            continue
        one.due_before = due_at
        due_at = min(due_at, one.source.due_at) if one.source.closed_at is None else due_at
        one.due_after = due_at
        one.save(update_fields=["due_before", "due_after"])
    if target.due_at == as_merged:
        target.due_at = due_at


def merged_into(case: Case) -> Merge | None:
    """The merge by which this case went into another."""
    return Merge.objects.filter(source_id=case.pk, undone_at=None).select_related("target", "merged_by").first()


def taken_in(case: Case) -> list[Merge]:
    """The merges by which others went into this case."""
    rows = Merge.objects.filter(target_id=case.pk, undone_at=None).select_related("source", "merged_by")
    return list(rows.order_by("merged_at"))


def _save(case: Case, field: str) -> None:
    case.version += 1
    case.save(update_fields=[field, "version"])
