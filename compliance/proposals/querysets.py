"""Which proposals, for whom."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.functions import Cast, Now

from audit.perform import StatefulQuerySet
from compliance.people.access.once import few
from compliance.people.conflicts.queries import declared_by
from compliance.people.duty.services import named
from compliance.proposals.acts import acts

if TYPE_CHECKING:
    from compliance.proposals.models import Proposal  # noqa: F401 - named as text below


class ProposalQuerySet(StatefulQuerySet["Proposal"]):
    def of_log(self, log: str) -> "ProposalQuerySet":
        """What is asked outside the AML side is asked of "main": nothing of the other side is counted or listed."""
        return self.filter(log=log)

    def parked(self) -> "ProposalQuerySet":
        return self.filter(state="parked")

    def overdue(self) -> "ProposalQuerySet":
        return self.parked().filter(expires_at__lte=Now())

    def confirmable_by(self, user: Any, *, of: Collection[str] | None = None) -> "ProposalQuerySet":
        """Proposals of other humans where the user may confirm, and that name nobody else, or somebody who is away and
        whose deputy they are. One query for all acts, and one for whose deputy they are. `of`: the acts to ask for.
        """
        if not user.is_active or user.human_id is None:
            return self.none()
        # Acts of one kind share their question: asked for each of them, it would be most of a page's work.
        sharing: dict[Any, list[str]] = {}
        for act in acts().values():
            if of is not None and act.name not in of:
                continue
            sharing.setdefault(act.visible, []).append(act.name)
        decidable = Q(pk__in=[])
        for visible, names in sharing.items():
            decidable |= Q(act__in=names, subject_id__in=visible(user))
        free = Q(named_checker=None) | named("named_checker", user)
        return self.filter(decidable, free).exclude(maker_human=user.human_id).of_strangers_to(user)

    def made_by(self, user: Any) -> "ProposalQuerySet":
        return self.filter(maker_human=user.human_id).of_strangers_to(user) if user.human_id else self.none()

    def of_strangers_to(self, user: Any) -> "ProposalQuerySet":
        """Without those on players whom the user knows."""
        known = few(user, "known", lambda: declared_by(user).values_list("customer_id", flat=True))
        if known == []:
            return self
        if isinstance(known, list):
            return self.exclude(key_kind="customer", key_id__in=[str(pk) for pk in known])
        keys = declared_by(user).annotate(key=Cast("customer_id", CharField())).values_list("key", flat=True)
        return self.exclude(key_kind="customer", key_id__in=keys)

    def without_successor(self) -> "ProposalQuerySet":
        """Those after which nothing was proposed for the same act and subject."""
        later = self.model._default_manager.filter(
            act=OuterRef("act"), subject_id=OuterRef("subject_id"), created_at__gt=OuterRef("created_at")
        )
        return self.exclude(Exists(later))

    def for_list(self) -> "ProposalQuerySet":
        return self.select_related("maker", "licensee", "named_checker")
