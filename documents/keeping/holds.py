"""Legal holds and the end of the relationship. To place a hold protects, so one person is enough; lifting needs two."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.cards import without_cards
from audit.perform import WrongState
from audit.record import record
from compliance.keys.services import seal
from compliance.people.conflicts.queries import require_stranger
from compliance.people.models import Customer
from compliance.people.permissions import require
from compliance.proposals.queries import require_second_person
from documents.keeping.models import LegalHold, RelationshipEnd

HOLD, LIFT = "keeping.hold_records", "keeping.lift_hold"


@transaction.atomic
def place_hold(customer: Customer, *, by: Acts, reason: str, note: str = "") -> LegalHold:
    """From now on nothing of this customer is erased. `reason` is a code, `note` free text (sealed)."""
    _require(by, customer, action="keeping.place_hold")
    note = without_cards(note)
    hold = LegalHold(customer=customer, reason=reason, placed_at=timezone.now(), placed_by=str(by.audit_actor))
    if note:
        hold.note_sealed = seal(customer.audit_subject, "hold.note", note.encode(), aad=hold.pk.bytes)
    hold.save(force_insert=True)
    record(
        "keeping.place_hold", by=by, about=customer, reason=reason, note=note or None, details={"hold": str(hold.pk)}
    )
    return hold


@transaction.atomic
def lift_hold(hold: LegalHold, *, by: Acts, reason: str, proposal: str | None = None, maker: str = "") -> LegalHold:
    """Raises SecondPersonNeeded, WrongState when it was lifted already."""
    require_second_person(LIFT, hold, proposal=proposal)
    fresh = LegalHold.objects.select_for_update().get(pk=hold.pk)
    if fresh.lifted_at is not None:
        raise WrongState(str(_("This hold was lifted already.")))
    fresh.lifted_at, fresh.lifted_by = timezone.now(), str(by.audit_actor)
    fresh.save(update_fields=["lifted_at", "lifted_by"])
    details = {"hold": str(fresh.pk), "proposal": proposal or "", "maker": maker}
    record("keeping.lift_hold", by=by, about=fresh.customer, reason=reason, details=details)
    return fresh


@transaction.atomic
def end_relationship(customer: Customer, *, on: date, by: Acts) -> RelationshipEnd:
    """The licensee's day from which the periods run. A later correction replaces it; both are in the log."""
    _require(by, customer, action="keeping.end_relationship")
    if on > customer.licensee.today():
        raise ValidationError({"on": _("The day lies in the future.")})
    end, _made = RelationshipEnd.objects.update_or_create(
        customer=customer, defaults={"ended_on": on, "recorded_at": timezone.now()}
    )
    record("keeping.end_relationship", by=by, about=customer, details={"on": on.isoformat()})
    return end


@transaction.atomic
def resume_relationship(customer: Customer, *, by: Acts) -> None:
    """They came back: no period runs any more."""
    _require(by, customer, action="keeping.resume_relationship")
    if RelationshipEnd.objects.filter(customer=customer).delete()[0]:
        record("keeping.resume_relationship", by=by, about=customer)


def _require(by: Acts, customer: Customer, *, action: str) -> None:
    """The right, and no acquaintance: a hold and the day from which periods run decide what becomes of the records."""
    require(by, HOLD, action=action, about=customer)
    require_stranger(by, customer.audit_subject, action=action, about=customer)
