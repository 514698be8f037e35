"""Finding players and cases. Contacts and national ids are found by their keyed digests, names by their folded form."""

from contextlib import suppress
from typing import Any

from django.db.models import Q

from cases.models import Case
from compliance.keys.services import IndexPurpose, blind_index
from compliance.people.queries import fold
from compliance.people.services import InvalidContact, normal_email, normal_phone

LIMIT = 50


def exactly(words: str, *, region: str = "TR") -> Q:
    """Cases whose player has this operator's reference, e-mail, phone or national id."""
    found = Q(account__reference__iexact=words) | Q(number__iexact=words)
    with suppress(InvalidContact):
        found |= Q(account__email_index=blind_index(IndexPurpose.EMAIL, normal_email(words)))
    digits = "".join(c for c in words if c.isdigit())
    if len(digits) >= 7:
        found |= Q(customer__national_id_index=blind_index(IndexPurpose.NATIONAL_ID, digits))
        with suppress(InvalidContact):
            found |= Q(account__phone_index=blind_index(IndexPurpose.PHONE, normal_phone(words, region=region)))
    return found


def in_list(words: str) -> Q:
    return exactly(words) | Q(customer__name_fold__contains=fold(words)) | Q(number__icontains=words)


def everywhere(words: str, *, user: Any) -> tuple[list[Case], list[Case]]:
    """Visible cases, open and closed: exact hits first, players with a similar name apart."""
    cases = Case.objects.visible_to(user).for_list().order_by("-opened_at", "id")
    exact = list(cases.filter(exactly(words))[:LIMIT])
    similar = cases.filter(customer__name_fold__contains=fold(words)).exclude(pk__in=[case.pk for case in exact])
    return exact, list(similar[:LIMIT])
