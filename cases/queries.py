"""Questions about cases. Every list starts at `visible_to`, every view at `get_case`."""

from typing import TYPE_CHECKING, Any, Self

from django.db.models import Count, Exists, OuterRef, Q
from django.http import Http404

from audit.perform import StatefulQuerySet
from audit.record import ObjectRef, record_refusal
from cases import kinds, numbers
from cases.permissions import VIEW, granted, is_key
from compliance.proposals.models import Proposal

if TYPE_CHECKING:
    from cases.models import Case  # noqa: F401 - named as text below


class CaseQuerySet(StatefulQuerySet["Case"]):
    """The manager of Case and of every proxy comes from here."""

    def visible_to(self, user: Any) -> Self:
        """Cases the user may see; none for somebody who is no longer active."""
        return self.allowed_to(user, VIEW)

    def allowed_to(self, user: Any, permission: str) -> Self:
        if not user.is_active:
            return self.none()
        if is_key(user):
            # A key reads its licensee's cases and brings files (its scopes say which); it works on and decides none.
            return self.filter(licensee_id=user.licensee_id, restricted=False) if permission == VIEW else self.none()
        # Named here and not imported at the top: models.py builds its managers from this module.
        case_model: Any = self.model._meta.concrete_model
        queue_model = case_model._meta.get_field("queue").related_model
        conflict_model = case_model._meta.apps.get_model("cases", "ConflictOfInterest")
        queues = granted(user, permission, queue_model).values("pk")
        own = granted(user, permission, case_model).values("pk")
        conflict = conflict_model.objects.filter(user__human_id=user.human_id, customer_id=OuterRef("customer_id"))
        return self.filter(Q(queue__in=queues, restricted=False) | Q(pk__in=own)).exclude(Exists(conflict))

    def open(self) -> Self:
        return self.filter(closed_at=None)

    def up_to(self, limit: int) -> int:
        """How many there are, counted no further than one more than `limit`: the count costs the same at any size."""
        return self.order_by().values("pk")[: limit + 1].count()

    def with_evidence_counts(self) -> Self:
        """Adds to_look_at, asked_again, accepted: how many files wait for us, for the player, and are done."""
        return self.annotate(
            to_look_at=Count("evidence", filter=Q(evidence__state="pending")),
            asked_again=Count("evidence", filter=Q(evidence__state="returned")),
            accepted=Count("evidence", filter=Q(evidence__state="accepted")),
        )

    def with_proposed(self) -> Self:
        """Adds proposed: whether a decision on it waits for a second person."""
        return self.annotate(proposed=Exists(Proposal.objects.parked().filter(subject_id=OuterRef("pk"))))

    def for_list(self) -> Self:
        """With everything a row shows, in one query more or less whatever the number of rows."""
        rows = self.select_related("customer", "account", "assignee", "queue")
        return rows.with_evidence_counts().with_proposed()


def get_case(number: str, *, user: Any) -> Any:
    """The kind's own proxy of the case with this tracking number; Http404 to strangers, which is recorded."""
    base = kinds.case_model().objects.visible_to(user).filter(number=number).only("pk", "kind").first()
    if base is None:
        _record_stranger(number, by=user)
        raise Http404("no such case")
    model = kinds.lookup(base.kind).model
    return model.objects.select_related("customer", "account__brand", "assignee", "queue", "licensee").get(pk=base.pk)


def _record_stranger(number: str, *, by: Any) -> None:
    """Somebody asked for a case that is not theirs, or that does not exist: nobody learns which, the log neither."""
    try:
        well_formed = numbers.parse(number) == number
    except numbers.TypingError:
        return
    if well_formed:
        record_refusal("cases.view", by=by, about=ObjectRef("case", number), reason="no_right", matter=number)
