"""Heavy acts on many cases: each case gets a proposal of its own, with the digest of the evidence that was looked at.

Nothing else happens before a second person confirms that one proposal. What protects somebody at once (stopping an
account) does not wait: the kind's own `submit` does it before it proposes the rest. To offer one: `in_bulk=True` and
`submit` on the act (compliance.proposals.acts). Refusals, and whatever lets money or play go on, are never offered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import record
from cases import kinds
from cases.bulk.acts import Act, Inputs
from cases.models import Case
from compliance.people.models import User
from compliance.proposals import acts
from compliance.proposals.models import Proposal
from compliance.proposals.services import AlreadyProposed

MOST: Final = 100  # each needs a look of its own


@dataclass(frozen=True, slots=True)
class Heavy(Act):
    """`asks` is the act that each case is proposed for."""

    asks: acts.Act | None = None


def heavy_acts() -> dict[str, Heavy]:
    """By name, for the kinds that are installed."""
    return {
        name: Heavy(name, act.title, _never, partial(_unmet, act), partial(_submit, act), versioned=False, asks=act)
        for name, act in acts.acts().items()
        if act.in_bulk and kind_of(name) in kinds.kinds()
    }


def kind_of(name: str) -> str:
    return name.partition(".")[0]


def subjects(act: acts.Act, cases: Mapping[Any, Case]) -> dict[Any, Any]:
    """The cases of the act's kind as that kind, in one query."""
    model = kinds.lookup(kind_of(act.name)).model
    return {
        each.pk: each for each in model.objects.select_related("customer", "account", "licensee").filter(pk__in=cases)
    }


def foreseen(act: acts.Act, subject: Any) -> tuple[str, str]:
    """What will happen, in words, and the digest of what it is decided on."""
    need = act.need(subject)
    words = _("Proposed: %(why)s") % {"why": need.why} if need.two else _("One person is enough: done at once.")
    return words, bytes(act.digest(subject)).hex()


def _never(case: Case, inputs: Inputs) -> bool:
    return False


def _unmet(act: acts.Act, case: Case, inputs: Inputs, by: User) -> list[str]:
    if case.kind != kind_of(act.name):
        return [_("This is another kind of case.")]
    if not act.may_propose(case, by):
        return [_("You may not propose this.")]
    if Proposal.objects.parked().filter(act=act.name, subject_id=case.pk).exists():
        return [_("This was already proposed and waits for a second person.")]
    return [str(each) for each in act.unmet(case)]


def _submit(act: acts.Act, case: Case, inputs: Inputs, *, by: User, seen: str, batch: str, since: Any) -> bool:
    """Whether it was proposed, and not done at once. Asked a second time after a worker died, it finds its proposal."""
    subject = subjects(act, {case.pk: case})[case.pk]
    assert act.submit is not None
    try:
        made = act.submit(subject, by=by, reason=inputs["reason"], note=inputs.get("text", ""), seen=seen)
    except AlreadyProposed:
        mine = Proposal.objects.parked().filter(act=act.name, subject_id=case.pk, maker=by, created_at__gte=since)
        if not mine.exists():
            raise
        return True
    if not isinstance(made, Proposal):
        return False
    with transaction.atomic():
        record("bulk.propose", by=by, about=made, details={"bulk_act": act.name, "batch": batch})
    return True
