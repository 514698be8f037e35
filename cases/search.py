"""Finding players and cases. Contacts and numbers of papers are found by keyed digests, names by their folded form.

Who may not see a case learns nothing of it: what is asked of the database depends on the words typed and on the cases
that the person may see, never on one that is hidden. So a hidden hit and no hit are answered alike, in time too.

To add a way to find a player: 1. a line in `_ways`, 2. its words in `WAYS`, 3. in `NAMED_BY_THE_PLAYER` if it fits
one player only.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases import kinds, numbers
from cases.caseless import players_of
from cases.models import Case
from compliance.keys.services import IndexPurpose, blind_index
from compliance.people.latin import consonants, latin
from compliance.people.models import Account, Customer, Licensee
from compliance.people.queries import fold
from compliance.people.services import InvalidContact, normal_email, normal_phone
from documents.models import Document

LIMIT: Final = 50  # cases in each part of the answer
SHORTEST_NAME: Final = 2
NUMBER_LENGTHS: Final = range(4, 33)
# What people put before the last four of a number they do not know or may not say in full.
_TAIL: Final = re.compile(r"[\s*•.…xX#-]*([0-9A-Z]{4})", re.ASCII)
WAYS: Final[Mapping[str, Promise]] = {
    "reference": _("Player number"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "national_id": _("National id"),
    "tail": _("Last four of a paper’s number"),
    "former": _("Number in the former system"),
}

NAMED_BY_THE_PLAYER: Final = ("reference", "email", "phone", "national_id")


@dataclass(frozen=True, slots=True)
class Hits:
    """Visible cases, open and closed, newest first: `exact` by a number or contact (each case's `found_by` names it),
    `named` by a name that holds the words, `similar` by one that only resembles them. No case is in two parts.
    `players`: accounts that fit a number or contact, of players whose cases, if there are any, the person does not see.
    """

    exact: list[Case] = field(default_factory=list)
    named: list[Case] = field(default_factory=list)
    similar: list[Case] = field(default_factory=list)
    players: list[Account] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.exact) + len(self.named) + len(self.similar) + len(self.players)


def mistyped(words: str) -> bool:
    """It is written as a tracking number of ours, and its check digit does not fit."""
    try:
        numbers.parse(words)
    except numbers.TypingError as error:
        return error.prefix in {kind.prefix for kind in kinds.kinds().values()}
    return False


def number_in(words: str, *, user: Any) -> str | None:
    """The tracking number written here, if it is one of a case that the person may see."""
    with suppress(numbers.TypingError):
        number = numbers.parse(words)
        if number and Case.objects.visible_to(user).filter(number=number).exists():
            return number
    return None


def in_list(words: str, *, user: Any) -> Q:
    """Within one list: exact hits, and players whose name holds the words."""
    players = _players(words, visible=Case.objects.visible_to(user))
    found = Q(number__contains=words.upper().lstrip("#")) | Q(customer__in=players)
    if len(name := fold(words)) >= SHORTEST_NAME:
        found |= Q(customer__in=Customer.objects.filter(name_fold__contains=name).values("pk"))
    return found


def everywhere(words: str, *, user: Any) -> Hits:
    """What a person finds with these words. As many questions to the database whatever is hidden from them."""
    visible = Case.objects.visible_to(user)
    cases = visible.for_list().order_by("-opened_at", "id")
    ways = _players(words, visible=visible)
    exact: list[Any] = list(cases.filter(customer__in=ways)[:LIMIT]) if ways else []
    for case in exact:
        case.found_by = WAYS[ways[case.customer_id]]
    players = _without_visible_case(words, user=user, visible=visible)
    name = fold(words)
    if len(name) < SHORTEST_NAME:
        return Hits(exact, players=players)
    seen = Exists(visible.filter(customer=OuterRef("pk")))
    named = _of_players(cases.exclude(customer__in=ways), _named(name).filter(seen))
    if len(named) >= LIMIT:  # with so many of the very name, those that resemble it help nobody
        return Hits(exact, named, players=players)
    known = {case.customer_id for case in named} | set(ways)
    similar = _of_players(cases, _alike(name).filter(seen).exclude(pk__in=known))
    return Hits(exact, named, similar, players)


def _of_players(cases: Any, players: "QuerySet[Customer]") -> list[Case]:
    """The cases of the first players, in the players' order."""
    order = {pk: place for place, pk in enumerate(players.values_list("pk", flat=True)[:LIMIT])}
    found: list[Case] = list(cases.filter(customer__in=order)[:LIMIT]) if order else []
    return sorted(found, key=lambda case: order[case.customer_id])


# ------------------------------------------------------------------------------------------ numbers and contacts
def _players(words: str, *, visible: Any) -> dict[Any, str]:
    """The way in which each player with a visible case was found. One question, each way by an index of its own."""
    seen = Exists(visible.filter(customer=OuterRef("customer")))
    former = Exists(visible.filter(account=OuterRef("pk"), former__number=words.strip()))
    return _first_way(Account.objects.filter(seen), [*_ways(words), ("former", Q(former))], "customer")


def _without_visible_case(words: str, *, user: Any, visible: Any) -> list[Account]:
    """Accounts that somebody on the phone can name: never by a name or the tail of a number, which fit many."""
    seen = Exists(visible.filter(customer=OuterRef("customer")))
    ways = [(way, condition) for way, condition in _ways(words) if way in NAMED_BY_THE_PLAYER]
    found = _first_way(Account.objects.filter(~seen, customer__in=players_of(user)), ways, "pk")
    rows: list[Any] = list(Account.objects.filter(pk__in=found).select_related("brand").order_by("reference", "pk"))
    for row in rows:
        row.found_by = WAYS[found[row.pk]]
    return rows


def _first_way(accounts: "QuerySet[Account]", ways: list[tuple[str, Q]], key: str) -> dict[Any, str]:
    asked = [
        accounts.order_by().filter(condition).annotate(way=Value(way)).values_list(key, "way")[:LIMIT]
        for way, condition in ways
    ]
    found = list(asked[0].union(*asked[1:], all=True))
    return dict(sorted(found, key=lambda each: list(WAYS).index(each[1]), reverse=True))


def _ways(words: str) -> Iterator[tuple[str, Q]]:
    yield "reference", Q(reference__iexact=words.lstrip("#"))
    with suppress(InvalidContact):
        yield "email", Q(email_index=blind_index(IndexPurpose.EMAIL, normal_email(words)))
    if phones := _phones(words):
        yield "phone", Q(phone_index__in=[blind_index(IndexPurpose.PHONE, phone) for phone in sorted(phones)])
    number = "".join(c for c in unicodedata.normalize("NFKC", words) if c.isalnum()).upper()
    if any(c.isdigit() for c in number) and len(number) in NUMBER_LENGTHS:
        yield "national_id", Q(customer__national_id_index=blind_index(IndexPurpose.NATIONAL_ID, number))
    if (written := _TAIL.fullmatch(words.upper())) and any(c.isdigit() for c in written[1]):
        index = blind_index(IndexPurpose.NUMBER_TAIL, written[1])
        papers = Document.objects.filter(number_tail_index=index).values("customer")
        yield "tail", Q(customer__national_id_tail_index=index) | Q(customer__in=papers)


def _phones(words: str) -> set[str]:
    """The number in one spelling, as somebody in each country of our licensees would mean it."""
    found: set[str] = set()
    if sum(c.isdigit() for c in words) < 7:
        return found
    for region in Licensee.objects.order_by("jurisdiction").values_list("jurisdiction", flat=True).distinct():
        with suppress(InvalidContact):
            found.add(normal_phone(words, region=region))
    return found


# ---------------------------------------------------------------------------------------------------------- names
def _named(name: str) -> "QuerySet[Customer]":
    """Players whose name holds the folded words."""
    return Customer.objects.filter(name_fold__contains=name).order_by("name_fold", "pk")


def _alike(name: str) -> "QuerySet[Customer]":
    """Players whose name resembles the folded words, in Latin letters whatever its script; the nearest first."""
    written = latin(name) or name
    bare = consonants(written)
    other = Q(name_latin__trigram_word_similar=written) | Q(name_latin__trigram_word_similar=bare)
    near = Q(name_fold__trigram_word_similar=written) | (~Q(name_latin="") & other)
    nearness = Greatest(
        TrigramWordSimilarity(written, "name_fold"),
        TrigramWordSimilarity(written, "name_latin"),
        TrigramWordSimilarity(bare, "name_latin"),
    )
    return Customer.objects.filter(near).order_by(nearness.desc(), "name_fold", "pk")
