"""Life of a batch: asked (its cases are fixed) -> previewed (what would happen to each) -> running -> done.

Each case is a transaction of its own, by the person who asked, with their rights at that moment; one that cannot be
done stops no other. A heavy act becomes a proposal for each case (heavy.py). Up to AT_ONCE cases run in
the request; more run in a worker, and another goes on when it dies.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.cards import without_cards
from audit.perform import ConditionsNotMet, Denied, StaleVersion, WrongState
from audit.record import record
from audit.sealer import Unavailable
from cases.bulk import heavy
from cases.bulk.acts import ACTS, Act, loaded, plain
from cases.bulk.heavy import Heavy
from cases.bulk.models import Batch, Row
from cases.models import Case
from cases.permissions import WORK
from cases.queries import CaseQuerySet
from compliance.keys.services import Shredded, open_sealed, seal
from compliance.outbox.services import wake
from compliance.people.models import User

log = logging.getLogger(__name__)
MOST: Final = 1000  # cases of one batch
AT_ONCE: Final = 50
STALE: Final = timedelta(minutes=2)  # a worker that reached no row for so long is gone
TEXT: Final = "bulk.text"
KEEP_UNSTARTED: Final = timedelta(days=1)
Result = Row.Result
Stage = Batch.Stage


class NotInBulk(ConditionsNotMet):
    """A heavy act that is not offered for many cases: each needs its own look, and perhaps a second person."""

    def __init__(self) -> None:
        super().__init__(
            [str(_("This is not done in bulk: each case needs its own look, and perhaps a second person."))]
        )


def act_of(name: str) -> Act:
    """NotInBulk for what is not offered."""
    known = ACTS.get(name) or heavy.heavy_acts().get(name)
    if known is None:
        raise NotInBulk
    return known


@transaction.atomic
def ask(act: str, cases: CaseQuerySet, *, order: Sequence[str], by: User, back: str = "") -> Batch:
    """Fix the cases: what comes into the list later is not among them. `cases` are those the person sees."""
    most = heavy.MOST if isinstance(act_of(act), Heavy) else MOST
    found = list(cases.order_by(*order).values_list("pk", "version")[: most + 1])
    if not found:
        raise ConditionsNotMet([_("Select at least one case.")])
    if len(found) > most:
        raise ConditionsNotMet([_("More than %(most)d cases match. Narrow the list first.") % {"most": most}])
    batch = Batch.objects.create(asked_by=by, act=act, total=len(found), back=back[:400])
    Row.objects.bulk_create(
        Row(batch=batch, case_id=pk, position=place, version=version)
        for place, (pk, version) in enumerate(found, start=1)
    )
    return batch


@transaction.atomic
def preview(batch: Batch, inputs: Mapping[str, Any]) -> Batch:
    """Say for each case whether it would change, and why not. Nothing changes. Six queries, whatever the number, for
    light acts; of a heavy one each case is looked at, and the evidence that it rests on is kept in mind.
    """
    batch = Batch.objects.select_for_update(of=("self",)).select_related("asked_by").get(pk=batch.pk)
    if batch.stage not in (Stage.ASKED, Stage.PREVIEWED):
        raise WrongState(_("This was started already."))
    act, by = act_of(batch.act), batch.asked_by
    rows = list(batch.rows.order_by("position"))
    ids = [row.case_id for row in rows]
    seen = Case.objects.visible_to(by).filter(pk__in=ids).select_related("assignee", "queue")
    cases = {case.pk: case for case in seen.prefetch_related("tagged", "watchers")}
    may = set(Case.objects.allowed_to(by, WORK).filter(pk__in=ids).order_by().values_list("pk", flat=True))
    cases |= heavy.subjects(act.asks, cases) if isinstance(act, Heavy) and act.asks else {}
    known = _known_unmet(act, cases, inputs, by)
    for row in rows:
        case = cases.get(row.case_id)
        row.result, row.words = _foreseen(act, case, row.case_id in may, inputs, known)
        row.version = case.version if case else row.version
        if isinstance(act, Heavy) and act.asks and row.result == Result.WILL:
            row.words, row.seen = heavy.foreseen(act.asks, case)
            row.words = row.words[:300]
    Row.objects.bulk_update(rows, ["result", "words", "version", "seen"])
    batch.inputs, batch.stage = plain(inputs), Stage.PREVIEWED
    text = without_cards(str(inputs.get("text", "")))
    batch.text_sealed = seal(batch.audit_subject, TEXT, text.encode(), aad=batch.pk.bytes) if text else None
    batch.save(update_fields=["inputs", "stage", "text_sealed"])
    return batch


def _known_unmet(act: Act, cases: Mapping[Any, Case], inputs: Mapping[str, Any], by: User) -> dict[Any, list[str]]:
    """Whether somebody may have each case, in two queries and not in two for each."""
    if act.name != "assign":
        return {pk: act.unmet(case, inputs, by) for pk, case in cases.items()}
    to = inputs["to"]
    theirs = set(Case.objects.allowed_to(to, WORK).filter(pk__in=list(cases)).order_by().values_list("pk", flat=True))
    sample = next((case for pk, case in cases.items() if pk in theirs), None)
    of_all = act.unmet(sample, inputs, by) if sample is not None and sample.closed_at is None else []
    no = [_("This person may not work on this case.")]
    finished = [_("This case is finished.")]
    return {pk: finished if case.closed_at else (of_all if pk in theirs else no) for pk, case in cases.items()}


def _foreseen(
    act: Act, case: Case | None, may: bool, inputs: Mapping[str, Any], known: Mapping[Any, list[str]]
) -> tuple[str, str]:
    if case is None or not may:
        return Result.WONT, _("You may not work on this case.")
    if act.same(case, inputs):
        return Result.SAME, ""
    wrong = known[case.pk]
    return (Result.WONT, " · ".join(wrong)[:300]) if wrong else (Result.WILL, "")


def start(batch: Batch, *, by: User) -> Batch:
    """Do what was previewed: at once, or in a worker. Started again, it changes nothing."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update(of=("self",)).select_related("asked_by").get(pk=batch.pk)
        if by.pk != batch.asked_by_id:
            raise Denied("no_right")
        if batch.stage == Stage.ASKED:
            raise WrongState(_("Look at what will happen first."))
        if batch.stage != Stage.PREVIEWED:
            return batch
        batch.stage, batch.started_at = Stage.QUEUED, timezone.now()
        batch.save(update_fields=["stage", "started_at"])
        record("bulk.start", by=by, about=batch, details={"bulk_act": batch.act, "rows": batch.total})
        small = batch.total <= AT_ONCE
        if not small:
            wake("bulk.run", batch_id=str(batch.pk))
    return run(batch) if small else batch


@transaction.atomic
def cancel(batch: Batch, *, by: User) -> Batch:
    """Stop before the next case. What is done stays done."""
    batch = Batch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if by.pk != batch.asked_by_id:
        raise Denied("no_right")
    _stop(batch, by=by)
    return batch


def _stop(batch: Batch, *, by: Acts) -> None:
    if batch.stage in (Stage.QUEUED, Stage.RUNNING) and not batch.cancel_asked:
        batch.cancel_asked = True
        batch.save(update_fields=["cancel_asked"])
        record("bulk.cancel", by=by, about=batch, details={"bulk_act": batch.act, "rows": batch.total})
        if batch.stage == Stage.QUEUED:
            _ended(batch)


@transaction.atomic
def stop_all(user: User, *, by: Acts) -> int:
    """Of somebody who left: what waits or runs stops before its next case, each with its own entry, `bulk.cancel`. What
    was not started is forgotten: it did nothing, and the entry of the leaving counts it.
    """
    mine = Batch.objects.filter(asked_by=user)
    unstarted = mine.filter(stage__in=(Stage.ASKED, Stage.PREVIEWED))
    ended = unstarted.count()
    unstarted.delete()
    for batch in mine.filter(stage__in=(Stage.QUEUED, Stage.RUNNING)).select_for_update(of=("self",)).order_by("pk"):
        _stop(batch, by=by)
        ended += 1
    return ended


def run(batch: Batch) -> Batch:
    """Do the rows that are left. Two workers never have the same batch; one that died is replaced after a while."""
    claimed = _claimed(batch)
    if claimed is None:
        return Batch.objects.get(pk=batch.pk)
    text = _text(claimed)
    with translation.override(claimed.asked_by.language):
        inputs = loaded(claimed.inputs, text)
        for pk in list(claimed.rows.filter(result=Result.WILL).order_by("position").values_list("pk", flat=True)):
            if Batch.objects.filter(pk=claimed.pk, cancel_asked=True).exists():
                break
            _one(claimed, pk, inputs)
            Batch.objects.filter(pk=claimed.pk).update(alive_at=timezone.now())
    with transaction.atomic():
        fresh = Batch.objects.select_for_update(of=("self",)).get(pk=claimed.pk)
        if fresh.stage == Stage.RUNNING:
            _ended(fresh)
    return fresh


def _claimed(batch: Batch) -> Batch | None:
    now = timezone.now()
    waiting = Q(stage=Stage.QUEUED) | Q(stage=Stage.RUNNING, alive_at__lt=now - STALE)
    taken = Batch.objects.filter(waiting, pk=batch.pk).update(stage=Stage.RUNNING, alive_at=now)
    return Batch.objects.select_related("asked_by").get(pk=batch.pk) if taken else None


def _one(batch: Batch, pk: int, inputs: Mapping[str, Any]) -> None:
    """One case, in a transaction of its own. What refuses it is its result."""
    act = act_of(batch.act)
    try:
        if isinstance(act, Heavy):
            _proposed(act, batch, pk, inputs)
            return
        with transaction.atomic():
            row = Row.objects.select_for_update(of=("self",)).select_related("case").get(pk=pk)
            if row.result != Result.WILL:
                return
            by = User.objects.get(pk=batch.asked_by_id)
            version = row.version if act.versioned else row.case.version
            act.run(row.case, inputs, by=by, version=version, batch=str(batch.pk))
            Row.objects.filter(pk=pk).update(result=Result.DONE, words="")
    except StaleVersion:
        _refused(pk, _("It changed since you looked at it."))
    except ConditionsNotMet as unmet:
        _refused(pk, " · ".join(unmet.reasons))
    except (Denied, WrongState) as refusal:
        _refused(pk, str(refusal))
    except Shredded:
        _refused(pk, _("This player was erased."))
    except (OperationalError, InterfaceError, Unavailable):
        raise  # the database or the keys are away: no fault of this case, the batch goes on later
    except Exception:
        log.exception("batch %s, row %s", batch.pk, pk)
        _refused(pk, _("Something went wrong on our side"))


def _proposed(act: Heavy, batch: Batch, pk: int, inputs: Mapping[str, Any]) -> None:
    """Not in one transaction with its result: what protects at once stays, even if the rest cannot be proposed."""
    row = Row.objects.select_related("case").get(pk=pk)
    by = User.objects.get(pk=batch.asked_by_id)
    asked = {"by": by, "seen": row.seen, "batch": str(batch.pk), "since": batch.started_at}
    result = Result.PROPOSED if act.run(row.case, inputs, **asked) else Result.DONE
    Row.objects.filter(pk=pk).update(result=result, words="")


def _refused(pk: int, words: str) -> None:
    Row.objects.filter(pk=pk).update(result=Result.REFUSED, words=words[:300])


def _ended(batch: Batch) -> None:
    """Count what came of it; what was not reached says so; the text of a note is forgotten."""
    batch.rows.filter(result=Result.WILL).update(result=Result.LEFT)
    counts = results(batch)
    batch.stage = Stage.CANCELLED if batch.cancel_asked and counts[Result.LEFT] else Stage.DONE
    batch.ended_at, batch.text_sealed = timezone.now(), None
    batch.save(update_fields=["stage", "ended_at", "text_sealed"])
    details = {"bulk_act": batch.act, "rows": batch.total, "done": counts["done"], "same": counts["same"]}
    details |= {"refused": counts["refused"] + counts["wont"], "left": counts["left"], "proposed": counts["proposed"]}
    record("bulk.end", by=batch.asked_by, about=batch, details=details)


def results(batch: Batch) -> Counter[str]:
    return Counter(batch.rows.values_list("result", flat=True))


def sweep() -> int:
    """Go on with what waits or whose worker is gone, and forget what nobody started. How many ran.

    One that breaks stops no other: it is tried again after those that were reached before it.
    """
    now = timezone.now()
    Batch.objects.filter(stage__in=(Stage.ASKED, Stage.PREVIEWED), made_at__lt=now - KEEP_UNSTARTED).delete()
    waiting = Batch.objects.filter(Q(stage=Stage.QUEUED) | Q(stage=Stage.RUNNING, alive_at__lt=now - STALE))
    ran = 0
    for batch in waiting.order_by(F("alive_at").asc(nulls_first=True), "started_at")[:10]:
        try:
            run(batch)
            ran += 1
        except Exception:
            log.exception("batch %s could not go on", batch.pk)
    return ran


def _text(batch: Batch) -> str:
    if batch.text_sealed is None:
        return ""
    return open_sealed(batch.audit_subject, TEXT, bytes(batch.text_sealed), aad=batch.pk.bytes).decode()
