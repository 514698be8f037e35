"""Life of a message: its signature is checked (Standard Webhooks, five minutes) -> kept sealed, once for its id ->
worked on from the outbox -> emptied, and forgotten after seven days.

Replay-safe three times: a signature holds for five minutes, an id is known for seven days, and a message about a thing
of which a newer version came already changes nothing (`advance`).
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import INSTALLATION, Acts, system
from audit.perform import ConditionsNotMet
from audit.record import record
from compliance.keys.services import open_sealed, seal
from compliance.outbox.kinds import register as register_row
from compliance.outbox.models import OutboxRow
from compliance.outbox.services import post
from compliance.people.models import Licensee, User
from compliance.platform.inbound import kinds
from compliance.platform.inbound.models import Mark, Message, Sender
from compliance.platform.webhooks import signing

ROW, SECRET, BODY = "inbound.work", "inbound.secret", "inbound.body"
KEPT = timedelta(days=7)
OVERLAP = timedelta(hours=24)  # how long the former secret of a sender signs too
LONGEST_OVERLAP = timedelta(days=7)
LONGEST_ID = 120
LARGEST = 256 * 1024


class Unreadable(ValueError):
    """The signature fits and the body is no JSON object."""


class OtherBody(Exception):
    """The id is known with another body: a sender uses each id once."""


@transaction.atomic
def add_sender(*, licensee: Licensee, kind: str, name: str, created_by: User, by: Acts) -> tuple[Sender, str]:
    """A sender and its secret, which is shown this once. ValidationError names the field."""
    if kind not in kinds.known():
        known = ", ".join(kinds.known())
        raise ValidationError({"kind": _("Nobody works on this. Known: %(known)s.") % {"known": known}})
    if Sender.objects.filter(licensee=licensee, name=name, disabled_at=None).exists():
        raise ValidationError({"name": _("A sender of this name is there already.")})
    secret = signing.new_secret()
    sender = Sender(licensee=licensee, kind=kind, name=name, created_by=created_by)
    sender.clean_fields(exclude=["secret_sealed", "former_secret_sealed", "former_until", "disabled_at"])
    sender.secret_sealed = seal(INSTALLATION, SECRET, secret.encode(), aad=sender.pk.bytes)
    sender.save(force_insert=True)
    details = {"kind": kind, "name": name, "licensee": licensee.slug}
    record("inbound.add_sender", by=by, about=sender, details=details)
    return sender, secret


@transaction.atomic
def disable_sender(sender: Sender, *, by: Acts) -> None:
    if Sender.objects.filter(pk=sender.pk, disabled_at=None).update(disabled_at=Now()):
        record("inbound.disable_sender", by=by, about=sender, details={"name": sender.name})


@transaction.atomic
def exchange_secret(sender: Sender, *, by: Acts, overlap: timedelta = OVERLAP) -> str:
    """A new secret, shown this once. The former one holds for `overlap`, so that no message is lost meanwhile.

    No overlap ends every former secret at once, as after a leak. ConditionsNotMet while a former one holds: the sender
    may still sign with it.
    """
    fresh, now = Sender.objects.select_for_update().get(pk=sender.pk), timezone.now()
    if fresh.disabled_at is not None:
        raise ConditionsNotMet([str(_("This sender is stopped."))])
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        hours = LONGEST_OVERLAP // timedelta(hours=1)
        raise ConditionsNotMet([_("Choose from 0 to %(hours)d hours.") % {"hours": hours}])
    if overlap and fresh.former_until is not None and fresh.former_until > now:
        raise ConditionsNotMet([_("The former secret still holds. Wait, or choose 0 hours: then it ends at once.")])
    secret = signing.new_secret()
    fresh.former_secret_sealed, fresh.former_until = (fresh.secret_sealed, now + overlap) if overlap else (None, None)
    fresh.secret_sealed = seal(INSTALLATION, SECRET, secret.encode(), aad=fresh.pk.bytes)
    fresh.save(update_fields=["secret_sealed", "former_secret_sealed", "former_until"])
    record("inbound.exchange_secret", by=by, about=fresh, details={"name": fresh.name, "until": now + overlap})
    return secret


def secrets_of(sender: Sender) -> list[str]:
    """The one that holds, and the former one while it holds too."""
    sealed = [sender.secret_sealed]
    if sender.former_secret_sealed is not None and sender.former_until and sender.former_until > timezone.now():
        sealed.append(sender.former_secret_sealed)
    return [open_sealed(INSTALLATION, SECRET, bytes(one), aad=sender.pk.bytes).decode() for one in sealed]


def receive(sender_id: UUID, headers: Mapping[str, str], body: bytes) -> bool:
    """Keep a message whose signature fits; whether it is new. Nothing is worked on here.

    Raises signing.NotGenuine (also for a sender that we do not know: nobody learns which), Unreadable, OtherBody.
    """
    sender = Sender.objects.filter(pk=sender_id, disabled_at=None).first()
    if sender is None:
        raise signing.NotGenuine("wrong_signature")
    message_id = signing.verify(secrets_of(sender), headers, body, now=time.time())
    if len(message_id) > LONGEST_ID:  # two that begin alike would count as one
        raise signing.NotGenuine("unsigned")
    _object(body)
    digest = hashlib.sha256(body).digest()
    try:
        with transaction.atomic():
            message = Message(sender=sender, message_id=message_id, digest=digest)
            message.body_sealed = seal(INSTALLATION, BODY, body, aad=message.pk.bytes)
            message.save(force_insert=True)
            post(ROW, payload={"message_id": message.pk})
    except IntegrityError:
        known = Message.objects.get(sender=sender, message_id=message_id)
        if not hmac.compare_digest(bytes(known.digest), digest):
            raise OtherBody from None
        return False
    return True


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(Unreadable.__doc__) from error
    if not isinstance(said, dict):
        raise Unreadable(Unreadable.__doc__)
    return said


def work(row: OutboxRow) -> None:
    """Hand the message to who works on it. In one transaction with the mark that the row is done."""
    message = (
        Message.objects.select_for_update(of=("self",))
        .select_related("sender__licensee")
        .get(pk=row.payload["message_id"])
    )
    if message.done_at is not None or message.body_sealed is None:
        return
    body = _object(open_sealed(INSTALLATION, BODY, bytes(message.body_sealed), aad=message.pk.bytes))
    came_to = kinds.worker_of(message.sender.kind)(kinds.Incoming(message.sender, message.message_id, body))
    Message.objects.filter(pk=message.pk).update(done_at=Now(), body_sealed=None, came_to=came_to)
    details = {"sender": str(message.sender_id), "kind": message.sender.kind, "message_id": message.message_id}
    record("inbound.receive", by=system(), about=message, details=details | {"came_to": came_to})


def advance(sender: Sender, thing: str, version: int) -> bool:
    """Whether this version is newer than all that the sender said of the thing; from now on it is the newest.

    Two at once wait for each other. In the caller's transaction.
    """
    Mark.objects.get_or_create(sender=sender, thing=thing, defaults={"version": -1})
    mark = Mark.objects.select_for_update().get(sender=sender, thing=thing)
    if version <= mark.version:
        return False
    Mark.objects.filter(pk=mark.pk).update(version=version)
    return True


def forget_old() -> int:
    """Ids that are older than a sender may repeat them, and were worked on: how many. And secrets that hold no more."""
    over = Sender.objects.filter(former_until__lte=timezone.now())
    over.update(former_secret_sealed=None, former_until=None)
    old = Message.objects.filter(received_at__lt=Now() - KEPT, done_at__isnull=False)
    return int(old.delete()[0])


register_row(ROW, work)
