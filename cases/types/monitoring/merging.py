"""Merging investigations that belong together, and taking that back.

Everything stays where it is: the page of the target shows what was merged into it, too. The target takes the earlier
moments over and keeps them when the merge is undone: in doubt a duty falls earlier.
"""

from django.db import transaction
from django.utils.translation import gettext as _

from audit.perform import ConditionsNotMet, Denied, perform
from audit.record import record, record_refusal
from cases.types.monitoring import services
from cases.types.monitoring.models import OVER, Freeze, Investigation
from cases.types.monitoring.permissions import may_work
from compliance.people.models import User


@transaction.atomic
def merge(investigation: Investigation, *, into: Investigation, by: User) -> Investigation:
    """Let it go on in the other. The other, fresh."""
    target, source = _both_locked(into, investigation)
    if not may_work(target, by):
        record_refusal("monitoring.take_in", by=by, about=target, reason="no_right")
        raise Denied("no_right")
    if target.pk == source.pk:
        raise ConditionsNotMet([_("An investigation cannot be merged into itself.")])
    if target.state in OVER or target.licensee_id != source.licensee_id:
        raise ConditionsNotMet([_("It can be merged into an open investigation of the same licensee only.")])
    perform(source.merge, by=by, details={"other": target.number}, into=target)
    moments = [(name, getattr(source, name), getattr(target, name)) for name in ("suspicion_at", "flagged_at")]
    changes = {name: (to, earlier) for name, earlier, to in moments if earlier and (to is None or earlier < to)}
    for name, (_before, moment) in changes.items():
        setattr(target, name, moment)
    target.urgent = target.urgent or source.urgent
    target.version += 1
    target.save(update_fields=["suspicion_at", "flagged_at", "urgent", "version"])
    record("monitoring.take_in", by=by, about=target, changes=changes, details={"other": source.number})
    services.suspicion_moved(target, by=by)
    return target


@transaction.atomic
def unmerge(investigation: Investigation, *, by: User) -> Investigation:
    """Back to where it was, with all that it brought."""
    fresh = services.locked(investigation)
    target = fresh.merged_into
    done: Investigation = perform(fresh.unmerge, by=by, details={"other": target.number if target else ""})
    if target is not None:
        record("monitoring.give_back", by=by, about=target, details={"other": done.number})
    return done


def freezes_of(investigation: Investigation) -> list[Freeze]:
    """What is frozen in it and in all that was merged into it, newest first."""
    rows = Freeze.objects.filter(investigation__in=services.whole(investigation))
    return list(rows.select_related("placed_by", "seconded_by", "restriction").order_by("-placed_at"))


def _both_locked(one: Investigation, other: Investigation) -> tuple[Investigation, Investigation]:
    """In the order of their ids, so that two who merge the same pair cannot wait for each other."""
    first, last = sorted((one, other), key=lambda row: row.pk)
    found = {row.pk: row for row in (services.locked(first), services.locked(last))}
    return found[one.pk], found[other.pk]
