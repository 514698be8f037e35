"""What became of messages on their way to the player, and what a person makes of those in trouble."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet
from audit.record import record
from cases.mail.models import Attempt, Delivery
from cases.models import Case, Message
from cases.notices.services import tell
from cases.permissions import WORK
from cases.services import MESSAGE, require
from compliance.outbox.services import post
from compliance.people.models import User

ACTIONS = {
    Delivery.Result.DOUBTFUL: "mail.doubt",
    Delivery.Result.REFUSED: "mail.refuse_delivery",
    Delivery.Result.BOUNCED: "mail.bounce",
}


def troubled(case: Case) -> Any:
    """Messages of the case that did not arrive, or of which nobody knows, oldest first."""
    rows = Delivery.objects.filter(message__case_id=case.pk, result__in=Delivery.TROUBLED)
    return rows.select_related("message").order_by("message__written_at")


def ended(message: Message, result: str, *, status: str = "") -> Delivery:
    """Note how it ended; trouble is an entry, and whoever has the case hears of it."""
    facts = {"result": result, "status": status[:12], "at": timezone.now(), "settled_by": None}
    row, _made = Delivery.objects.update_or_create(message=message, defaults=facts)
    if action := ACTIONS.get(Delivery.Result(result)):
        details = {"code": message.code, "channel": "email", "status": row.status}
        if action == "mail.doubt":
            record("mail.doubt", by=system(), about=message, details=details)
        elif action == "mail.bounce":
            record("mail.bounce", by=system(), about=message, details=details)
        else:
            record("mail.refuse_delivery", by=system(), about=message, details=details)
        case = message.case
        tell("not_delivered", case=case, to=[case.assignee] if case.assignee else [], key=message.pk, by=system())
    return row


@transaction.atomic
def bounced(message: Message, *, status: str = "") -> None:
    """A mail server returned it. Said once; a later return of the same message changes nothing."""
    message = Message.objects.select_for_update(of=("self",)).select_related("case__assignee").get(pk=message.pk)
    known = Delivery.objects.filter(message=message).first()
    if known is None or known.result in (Delivery.Result.SENT, Delivery.Result.DOUBTFUL):
        ended(message, Delivery.Result.BOUNCED, status=status)


@transaction.atomic
def send_again(delivery: Delivery, *, by: User) -> None:
    """A person decides to send it once more, under the same Message-ID: mail programs show it once."""
    fresh = _in_trouble(delivery, by=by, action="mail.send_again")
    record("mail.send_again", by=by, about=fresh.message, details={"code": fresh.message.code, "channel": "email"})
    Attempt.objects.using("log").filter(message_id=fresh.message_id).delete()
    Message.objects.filter(pk=fresh.message_id).update(sent_at=None)
    fresh.delete()
    post(MESSAGE, payload={"message_id": str(fresh.message_id)})


@transaction.atomic
def settle(delivery: Delivery, *, by: User) -> Delivery:
    """A person made sure that the player knows, another way."""
    fresh = _in_trouble(delivery, by=by, action="mail.settle_delivery")
    before, fresh.result, fresh.settled_by, fresh.at = fresh.result, Delivery.Result.SETTLED, by, timezone.now()
    fresh.save(update_fields=["result", "settled_by", "at"])
    details = {"code": fresh.message.code, "channel": "email", "result": before}
    record("mail.settle_delivery", by=by, about=fresh.message, details=details)
    return fresh


def _in_trouble(delivery: Delivery, *, by: Acts, action: str) -> Delivery:
    rows = Delivery.objects.select_for_update(of=("self",)).select_related("message__case")
    fresh = rows.filter(pk=delivery.pk, result__in=Delivery.TROUBLED).first()
    if fresh is None:
        raise ConditionsNotMet([_("Somebody looked after this message already.")])
    require(WORK, fresh.message.case, by=by, action=action)
    return fresh
