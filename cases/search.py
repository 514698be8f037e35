"""Finding players and cases. Contacts and national ids are found by their keyed digests, names by their folded form."""

from contextlib import suppress
from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Exists, OuterRef, Q

from cases.models import Case
from compliance.keys.services import IndexPurpose, blind_index
from compliance.people.models import Account, Customer
from compliance.people.queries import fold
from compliance.people.services import InvalidContact, normal_email, normal_phone

LIMIT = 50


def in_list(words: str) -> Q:
    """Within one list: exact hits, and players whose name holds the words."""
    named = Q(customer__in=Customer.objects.named_like(words).values("pk"))
    return exactly(words) | named | Q(number__contains=words.upper())


def exactly(words: str, *, region: str = "TR") -> Q:
    """Cases with this number, or whose player has this operator's reference, e-mail, phone or national id.

    The players are looked up first, each by its index: one condition over all tables would read every case.
    """
    account, customer = Q(reference__iexact=words), Q()
    with suppress(InvalidContact):
        account |= Q(email_index=blind_index(IndexPurpose.EMAIL, normal_email(words)))
    digits = "".join(c for c in words if c.isdigit())
    if len(digits) >= 7:
        customer = Q(national_id_index=blind_index(IndexPurpose.NATIONAL_ID, digits))
        with suppress(InvalidContact):
            account |= Q(phone_index=blind_index(IndexPurpose.PHONE, normal_phone(words, region=region)))
    found = Q(number=words.upper()) | Q(account__in=list(Account.objects.filter(account).values_list("pk", flat=True)))
    if customer:
        found |= Q(customer__in=list(Customer.objects.filter(customer).values_list("pk", flat=True)))
    return found


def everywhere(words: str, *, user: Any) -> tuple[list[Case], list[Case]]:
    """Visible cases, open and closed: exact hits first, players with a similar name apart."""
    cases = Case.objects.visible_to(user).for_list().order_by("-opened_at", "id")
    exact = list(cases.filter(exactly(words))[:LIMIT])
    similar = cases.filter(customer__in=_similar_players(words, user)).exclude(pk__in=[case.pk for case in exact])
    return exact, list(similar[:LIMIT])


def _similar_players(words: str, user: Any) -> list[Any]:
    """The players with the most similar names, among those with a case that the user may see."""
    name = fold(words)
    if len(name) < 2:
        return []
    seen = Exists(Case.objects.visible_to(user).filter(customer=OuterRef("pk")))
    alike = Customer.objects.filter(Q(name_fold__contains=name) | Q(name_fold__trigram_word_similar=name))
    closest = alike.filter(seen).order_by(TrigramWordSimilarity(name, "name_fold").desc(), "name_fold", "pk")
    return list(closest.values_list("pk", flat=True)[:LIMIT])
