"""Which proposals, for whom."""

from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from audit.perform import StatefulQuerySet
from compliance.proposals.acts import acts

if TYPE_CHECKING:
    from compliance.proposals.models import Proposal  # noqa: F401 - named as text below


class ProposalQuerySet(StatefulQuerySet["Proposal"]):
    def parked(self) -> "ProposalQuerySet":
        return self.filter(state="parked")

    def overdue(self) -> "ProposalQuerySet":
        return self.parked().filter(expires_at__lte=Now())

    def confirmable_by(self, user: Any) -> "ProposalQuerySet":
        """Proposals of other humans where the user may confirm, and that name nobody else. One query for all acts."""
        if not user.is_active or user.human_id is None:
            return self.none()
        # Acts of one kind share their question: asked for each of them, it would be most of a page's work.
        sharing: dict[Any, list[str]] = {}
        for act in acts().values():
            sharing.setdefault(act.visible, []).append(act.name)
        decidable = Q(pk__in=[])
        for visible, names in sharing.items():
            decidable |= Q(act__in=names, subject_id__in=visible(user))
        free = Q(named_checker=None) | Q(named_checker__human=user.human_id)
        return self.filter(decidable, free).exclude(maker_human=user.human_id)

    def made_by(self, user: Any) -> "ProposalQuerySet":
        return self.filter(maker_human=user.human_id) if user.human_id else self.none()

    def without_successor(self) -> "ProposalQuerySet":
        """Those after which nothing was proposed for the same act and subject."""
        later = self.model._default_manager.filter(
            act=OuterRef("act"), subject_id=OuterRef("subject_id"), created_at__gt=OuterRef("created_at")
        )
        return self.exclude(Exists(later))

    def for_list(self) -> "ProposalQuerySet":
        return self.select_related("maker", "licensee", "named_checker")
