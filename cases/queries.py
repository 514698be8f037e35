"""Questions about cases. Every list starts at `visible_to`, every view at `get_case`."""

from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Now
from django.http import Http404

from audit.perform import StatefulQuerySet
from audit.record import ObjectRef, record_refusal
from cases import kinds, numbers
from cases.looking.needed import ReasonNeeded
from cases.permissions import VIEW, allowed, is_key, queues_of
from compliance.people.access.once import few
from compliance.people.conflicts.queries import declared_by
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
            return self.known_outside().filter(licensee_id=user.licensee_id) if permission == VIEW else self.none()
        # Named here and not imported at the top: models.py builds its managers from this module.
        case_model: Any = self.model._meta.concrete_model
        queue_model = case_model._meta.get_field("queue").related_model
        ways = allowed(user, permission, queue_model, case_model)
        if permission == VIEW:  # by exception one sees, and neither works nor decides
            openings = self.model._meta.apps.get_model("glass", "Opening").objects
            opened = few(user, "opened", lambda: openings.running().of(user).values_list("case_id", flat=True))
            if opened != []:
                ways |= Q(pk__in=opened, queue__in=queues_of(user, permission, queue_model))
        mine = self.filter(ways)
        # Whoever looks at it again does not see how it ended before their own verdict is in.
        looks = self.model._meta.apps.get_model("quality", "SecondLook").objects
        known = few(user, "known", lambda: declared_by(user).values_list("customer_id", flat=True))
        held = few(user, "looks_held", lambda: looks.held_by(user).values_list("case_id", flat=True))
        for field, left_out in (("customer_id", known), ("pk", held)):
            if left_out != []:
                mine = mine.exclude(**{f"{field}__in": left_out})
        # What was merged into another case is read; the work goes on in the other.
        return mine if permission == VIEW else mine.filter(merged_into=None)

    def known_outside(self) -> Self:
        """What the operator's platform may know of. A restricted case does not exist there, unless it is so for nothing
        but its player's mark: the player still hands files in.
        """
        marked = self.model._meta.apps.get_model("marks", "ClosedCase").objects.values("case")
        return self.filter(Q(restricted=False) | Q(pk__in=marked))

    def open(self) -> Self:
        """Neither finished nor merged into another case."""
        return self.filter(closed_at=None, merged_into=None)

    def awake(self) -> Self:
        """Not snoozed now: what is due back is back, whether or not a sweep wrote it down."""
        return self.filter(Q(snoozed_until=None) | Q(snoozed_until__lte=Now()))

    def free(self) -> Self:
        """Work that nobody has and that waits for nobody."""
        return self.awake().filter(assignee=None, waiting_for="")

    def up_to(self, limit: int) -> int:
        """How many there are, counted no further than one more than `limit`: the count costs the same at any size."""
        return self.order_by().values("pk")[: limit + 1].count()

    def with_evidence_counts(self) -> Self:
        """Adds to_look_at, asked_again, accepted: how many files wait for us, for the player, and are done."""
        # Counted for the rows that are shown: joined, they would be counted for every open case before the first page.
        return self.annotate(to_look_at=_files("pending"), asked_again=_files("returned"), accepted=_files("accepted"))

    def with_proposed(self) -> Self:
        """Adds proposed: whether a decision on it waits for a second person."""
        return self.annotate(
            proposed=Exists(Proposal.objects.of_log("main").parked().filter(subject_id=OuterRef("pk")))
        )

    def for_list(self) -> Self:
        """With everything a row shows, in one query more or less whatever the number of rows."""
        rows = self.select_related("customer", "account", "assignee", "queue")
        return rows.with_evidence_counts().with_proposed().prefetch_related("tagged__tag")


def _files(state: str) -> Coalesce:
    files = apps.get_model("cases", "Evidence").objects.filter(case=OuterRef("pk"), state=state)
    count = files.order_by().values("case").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(count, output_field=IntegerField()), 0)


def up_to(limit: int, *lists: CaseQuerySet) -> list[int]:
    """`CaseQuerySet.up_to` of several lists in one query: the way to the database and back costs more than a count."""
    parts: list[str] = []
    given: list[Any] = []
    for rows in lists:
        try:
            sql, params = rows.order_by().values("pk")[: limit + 1].query.sql_with_params()
        except EmptyResultSet:  # nothing can be in it
            sql, params = "SELECT WHERE false", ()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS one)")
        given += params
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", given)  # noqa: S608 - made of the ORM's own statements
        counts: list[int] = list(cursor.fetchone())
    return counts


def get_case(number: str, *, user: Any) -> Any:
    """The kind's own proxy of the case with this tracking number; Http404 to strangers, which is recorded.

    ReasonNeeded where somebody has to say why they look at this player.
    """
    base = kinds.case_model().objects.visible_to(user).filter(number=number).only("pk", "kind").first()
    if base is None:
        _record_stranger(number, by=user)
        raise Http404("no such case")
    model = kinds.lookup(base.kind).model
    rows = model.objects.select_related("customer", "account__brand", "assignee", "queue", "licensee")
    case = rows.get(pk=base.pk)
    case.customer.licensee = case.licensee  # a case is of its player's licensee, and many panels ask for it there
    if model._meta.apps.get_model("looking", "Reason").objects.is_missing(user, case):
        raise ReasonNeeded(number)
    return case


def _record_stranger(number: str, *, by: Any) -> None:
    """Somebody asked for a case that is not theirs, or that does not exist: nobody learns which, the log neither."""
    try:
        well_formed = numbers.parse(number) == number
    except numbers.TypingError:
        return
    if well_formed:
        record_refusal("cases.view", by=by, about=ObjectRef("case", number), reason="no_right", matter=number)
