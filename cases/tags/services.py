"""Acts on tags. The list is kept by who decides cases of the licensee; who works on a case puts them on and off."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.perform import ConditionsNotMet, Denied
from audit.record import record, record_refusal
from cases.models import Case, Queue
from cases.permissions import DECIDE, VIEW, WORK, granted
from cases.services import require
from cases.tags.models import Tag, Tagging
from compliance.people.models import Licensee, User

MOST = 100  # words of one licensee's list: a longer one is read by nobody
LONGEST = 30


def licensees_of(user: Any, permission: str = VIEW) -> "QuerySet[Licensee]":
    """Licensees of the queues on which the user has the permission."""
    return Licensee.objects.filter(pk__in=granted(user, permission, Queue).values("licensee")).order_by("name")


def offered(licensee: Licensee) -> "QuerySet[Tag]":
    return Tag.objects.filter(licensee=licensee, retired_at=None).order_by("name")


@transaction.atomic
def make(licensee: Licensee, name: str, *, by: User) -> Tag:
    """Add a word to the licensee's list. ValidationError for one that is there, too long, or looks like a number."""
    _require_list(licensee, by, "tags.make")
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST:
        raise ValidationError({"name": _("Give the tag a name of at most 30 letters.")})
    if sum(letter.isdigit() for letter in name) > 4 or "@" in name:
        raise ValidationError({"name": _("A tag names a kind of matter, never a person, a number or an address.")})
    tags = Tag.objects.filter(licensee=licensee)
    if tags.filter(name__iexact=name).exists():
        raise ValidationError({"name": _("This tag is in the list already.")})
    if tags.filter(retired_at=None).count() >= MOST:
        raise ValidationError({"name": _("The list is full. Retire a tag that nobody uses.")})
    tag = Tag.objects.create(licensee=licensee, name=name)
    record("tags.make", by=by, about=tag, details={"tag": str(tag.pk), "licensee": licensee.slug})
    return tag


@transaction.atomic
def retire(tag: Tag, *, by: User) -> None:
    _require_list(tag.licensee, by, "tags.retire")
    if Tag.objects.filter(pk=tag.pk, retired_at=None).update(retired_at=timezone.now()):
        record("tags.retire", by=by, about=tag, details={"tag": str(tag.pk)})


@transaction.atomic
def offer(tag: Tag, *, by: User) -> None:
    """Offer a retired tag again."""
    _require_list(tag.licensee, by, "tags.offer")
    if Tag.objects.filter(pk=tag.pk, retired_at__isnull=False).update(retired_at=None):
        record("tags.offer", by=by, about=tag, details={"tag": str(tag.pk)})


@transaction.atomic
def put(case: Case, tag: Tag, *, by: User, batch: str = "") -> None:
    """Put a tag on the case; one that is there already changes nothing."""
    require(WORK, case, by=by, action="tags.put")
    if wrong := unmet(case, tag):
        raise ConditionsNotMet(wrong)
    tagging, made = Tagging.objects.get_or_create(case_id=case.pk, tag=tag, defaults={"tagged_by": by})
    if made:
        record("tags.put", by=by, about=case, details=_facts(tag, batch))


def unmet(case: Case, tag: Tag) -> list[str]:
    if tag.licensee_id != case.licensee_id:
        return [_("This tag belongs to another licensee.")]
    return [_("This tag is retired.")] if tag.retired_at is not None else []


@transaction.atomic
def take_off(case: Case, tag: Tag, *, by: User, batch: str = "") -> None:
    require(WORK, case, by=by, action="tags.take_off")
    deleted, _models = Tagging.objects.filter(case_id=case.pk, tag=tag).delete()
    if deleted:
        record("tags.take_off", by=by, about=case, details=_facts(tag, batch))


def _facts(tag: Tag, batch: str) -> dict[str, str]:
    return {"tag": str(tag.pk)} | ({"batch": batch} if batch else {})


def _require_list(licensee: Licensee, by: User, action: str) -> None:
    if not by.is_active or not licensees_of(by, DECIDE).filter(pk=licensee.pk).exists():
        record_refusal(action, by=by, about=licensee, reason="no_right")
        raise Denied("no_right")
