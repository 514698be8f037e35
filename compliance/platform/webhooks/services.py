"""Life of an endpoint: added (its secret is shown once), changed, its secret exchanged, disabled, enabled.

Every change is recorded. The address is sealed in the log: it may hold a token. Who may do this is the page's rule.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import INSTALLATION, Acts, system
from audit.perform import ConditionsNotMet
from audit.record import record
from compliance.keys.services import open_sealed, seal
from compliance.outbox.services import wake
from compliance.people.models import Licensee, User
from compliance.platform.webhooks import catalogue, events, letters
from compliance.platform.webhooks.addresses import Refused, addresses_of, target_of
from compliance.platform.webhooks.models import Attempt, Delivery, Endpoint
from compliance.platform.webhooks.queries import DeliveryQuerySet
from compliance.platform.webhooks.signing import new_secret

SECRET = "webhooks.secret"
OVERLAP = timedelta(hours=24)  # how long the former secret signs too
MOST_RESENT = 1_000


@transaction.atomic
def add_endpoint(
    *, licensee: Licensee, name: str, url: str, types: Iterable[str] = (), created_by: User, by: Acts
) -> tuple[Endpoint, str]:
    """A new endpoint and its secret, which is shown this once. Raises ValidationError with the field."""
    secret = new_secret()
    endpoint = Endpoint(licensee=licensee, created_by=created_by, **_checked(name, url, types))
    endpoint.secret_sealed = seal(INSTALLATION, SECRET, secret.encode(), aad=endpoint.pk.bytes)
    endpoint.save(force_insert=True)
    record("webhooks.add_endpoint", by=by, about=endpoint, details=_facts(endpoint) | {"licensee": licensee.slug})
    return endpoint, secret


@transaction.atomic
def change_endpoint(endpoint: Endpoint, *, name: str, url: str, types: Iterable[str], by: Acts) -> Endpoint:
    """What was not delivered yet goes to the new address."""
    fresh = _locked(endpoint)
    before = _facts(fresh)
    for field, value in _checked(name, url, types).items():
        setattr(fresh, field, value)
    after = _facts(fresh)
    changes = {field: (before[field], after[field]) for field in after if before[field] != after[field]}
    if changes:
        fresh.save(update_fields=["name", "url", "types"])
        record("webhooks.change_endpoint", by=by, about=fresh, changes=changes)
    return fresh


@transaction.atomic
def exchange_secret(endpoint: Endpoint, *, by: Acts) -> tuple[Endpoint, str]:
    """A new secret, shown this once. For a day both sign, so that no delivery fails while the receiver changes over."""
    fresh = _locked(endpoint)
    secret = new_secret()
    fresh.former_secret_sealed, fresh.former_until = fresh.secret_sealed, timezone.now() + OVERLAP
    fresh.secret_sealed = seal(INSTALLATION, SECRET, secret.encode(), aad=fresh.pk.bytes)
    fresh.save(update_fields=["secret_sealed", "former_secret_sealed", "former_until"])
    record("webhooks.exchange_secret", by=by, about=fresh, details={"until": fresh.former_until})
    return fresh, secret


def secrets_of(endpoint: Endpoint) -> tuple[str, ...]:
    """The secrets that sign now, the newest first."""
    sealed = [endpoint.secret_sealed]
    if endpoint.former_secret_sealed is not None and endpoint.former_until and endpoint.former_until > timezone.now():
        sealed.append(endpoint.former_secret_sealed)
    return tuple(open_sealed(INSTALLATION, SECRET, bytes(one), aad=endpoint.pk.bytes).decode() for one in sealed)


@transaction.atomic
def disable(endpoint: Endpoint, *, by: Acts) -> Endpoint:
    """Call it no more. What waits for it stays for 30 days, and goes on when it is enabled."""
    return _disable(_locked(endpoint), Endpoint.Because.STAFF, by=by)


def give_up(endpoint: Endpoint, *, because: Endpoint.Because) -> Endpoint:
    """What the receiver, or its silence, decided. The page shows it, the log, and a letter to who looks after it."""
    if endpoint.disabled_at is not None:
        return endpoint
    with transaction.atomic():
        letters.tell(endpoint)
        return _disable(endpoint, because, by=system())


@transaction.atomic
def enable(endpoint: Endpoint, *, by: Acts) -> Endpoint:
    fresh = _locked(endpoint)
    if fresh.disabled_at is not None:
        fresh.disabled_at, fresh.disabled_because, fresh.failing_since = None, "", None
        fresh.save(update_fields=["disabled_at", "disabled_because", "failing_since"])
        record("webhooks.enable_endpoint", by=by, about=fresh)
    return fresh


@transaction.atomic
def send_test(endpoint: Endpoint, *, by: Acts) -> Delivery:
    """A `platform.test` event to this endpoint only."""
    if endpoint.disabled_at is not None:
        raise ConditionsNotMet([str(_("This endpoint is switched off. Switch it on first."))])
    event = events.create(catalogue.TEST, licensee_id=endpoint.licensee_id, data={"endpoint": str(endpoint.pk)})
    delivery = events.deliver_to(endpoint, event)
    record("webhooks.send_test", by=by, about=endpoint, details={"event": event.public_id})
    return delivery


def resend(delivery: Delivery, *, by: Acts) -> int:
    """Send it again now, whatever became of it, under the same id."""
    return _send_again(delivery.endpoint, Delivery.objects.filter(pk=delivery.pk), by=by)


def resend_failed(endpoint: Endpoint, *, since: datetime, until: datetime, by: Acts) -> int:
    """Everything of these days that was not delivered yet, at once; how many. A thousand at most, the oldest first."""
    missed = Delivery.objects.filter(done_at=None, tries__gt=0, created_at__gte=since, created_at__lt=until)
    return _send_again(endpoint, missed, by=by)


@transaction.atomic
def _send_again(endpoint: Endpoint, chosen: DeliveryQuerySet, *, by: Acts) -> int:
    rows = chosen.filter(endpoint=endpoint, claimed_at=None).select_for_update(of=("self",), skip_locked=True)
    ids = list(rows.order_by("created_at").values_list("pk", flat=True)[:MOST_RESENT])
    Delivery.objects.filter(pk__in=ids).update(done_at=None, given_up_at=None, tries=0, due_at=Now(), woken_at=None)
    if ids:
        record("webhooks.resend", by=by, about=endpoint, details={"deliveries": len(ids), "first": str(ids[0])})
        wake("webhooks.deliver", delivery_id=str(ids[0]))  # whoever ends a call wakes the next one
    return len(ids)


def reply_text(attempt: Attempt) -> str:
    """The beginning of what the receiver said, as text."""
    if attempt.reply_sealed is None:
        return ""
    said = open_sealed(INSTALLATION, "webhooks.reply", bytes(attempt.reply_sealed), aad=attempt.pk.bytes)
    return said.decode("utf-8", errors="replace")


def _disable(fresh: Endpoint, because: Endpoint.Because, *, by: Acts) -> Endpoint:
    if fresh.disabled_at is None:
        fresh.disabled_at, fresh.disabled_because = timezone.now(), because
        fresh.save(update_fields=["disabled_at", "disabled_because"])
        record("webhooks.disable_endpoint", by=by, about=fresh, reason=str(because))
    return fresh


def _checked(name: str, url: str, types: Iterable[str]) -> dict[str, object]:
    name, url, wanted = " ".join(name.split()), url.strip(), sorted(set(types))
    if not name or len(name) > 80:
        raise ValidationError({"name": _("Enter a name of at most 80 characters.")})
    if unknown := [one for one in wanted if one not in catalogue.types()]:
        raise ValidationError({"types": _("There is no event %(names)s.") % {"names": ", ".join(unknown)}})
    if len(url) > 500:
        raise ValidationError({"url": _("Enter an address of at most 500 characters.")})
    target = target_of(url)
    try:
        addresses_of(target)
    except Refused as refused:
        # A name that cannot be found now may be found later; an address that we may not call never will be called.
        if refused.code == "forbidden_address":
            text = _("This address lies in a private network. WEBHOOK_NETWORKS names those that may be called.")
            raise ValidationError({"url": text}) from None
    return {"name": name, "url": url, "types": wanted}


def _facts(endpoint: Endpoint) -> dict[str, object]:
    return {"name": endpoint.name, "url": endpoint.url, "types": list(endpoint.types)}


def _locked(endpoint: Endpoint) -> Endpoint:
    found: Endpoint = Endpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)
    return found
