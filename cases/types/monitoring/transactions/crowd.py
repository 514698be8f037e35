"""Invented players with invented histories, in bulk. One entry of the log for all of them."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.db import transaction

from audit.actors import system
from audit.record import ObjectRef, record
from cases.types.monitoring.transactions.generating import histories
from cases.types.monitoring.transactions.reading import Row
from cases.types.monitoring.transactions.services import LOG, MOST_ROWS, keep
from compliance.people.models import Account, Customer, Licensee, Person
from compliance.people.queries import fold

_FIRST = ("Ayşe", "Mehmet", "Zeynep", "Emre", "Elif", "Can", "Deniz", "Selin", "Murat", "İpek", "Hakan", "Ece")
_LAST = ("Yılmaz", "Kaya", "Demir", "Şahin", "Çelik", "Yıldız", "Öztürk", "Aydın", "Arslan", "Doğan", "Kılıç")


class SeedUsed(ValueError):
    """Players of this seed are there already."""


def fill(
    licensee: Licensee,
    *,
    customers: int,
    seed: str,
    begins: datetime,
    days: int,
    one_in: int,
    say: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, int]:
    """Players, and what they did, accepted through the product's own door and left to be counted; how many of each."""
    if Account.objects.filter(licensee=licensee, reference__startswith=f"{seed}-").exists():
        raise SeedUsed(f"--seed: {seed} was used before. Choose another.")
    players = [(f"{seed}-{number}", _name(number)) for number in range(customers)]
    with transaction.atomic():
        _register(licensee, players)
        details: dict[str, Any] = {"customers": customers, "seed": seed, "days": days, "rows": 0}
        done = histories(players, seed=seed, begins=begins, days=days, one_in=one_in)
        for part in _parts(done, lambda count: say(count, customers)):
            details["rows"] += keep(licensee, part).accepted
        record(
            "transactions.generate",
            by=system(),
            about=ObjectRef("licensee", str(licensee.pk)),
            details=details,
            log=LOG,
        )
    return {"customers": customers, "rows": details["rows"]}


def _parts(done: Iterator[list[Row]], say: Callable[[int], None]) -> Iterator[list[Row]]:
    waiting: list[Row] = []
    for count, rows in enumerate(done, 1):
        waiting += rows
        while len(waiting) >= MOST_ROWS:
            yield waiting[:MOST_ROWS]
            del waiting[:MOST_ROWS]
        say(count)
    if waiting:
        yield waiting


def _name(number: int) -> str:
    return f"{_FIRST[number % len(_FIRST)]} {_LAST[number // len(_FIRST) % len(_LAST)]}"


def _register(licensee: Licensee, players: list[tuple[str, str]]) -> None:
    brand = licensee.brands.order_by("slug").first()
    if brand is None:
        raise ValueError(f"{licensee.slug} has no brand.")
    people = Person.objects.bulk_create([Person() for _player in players], batch_size=5_000)
    made = Customer.objects.bulk_create(
        [
            Customer(person=person, licensee=licensee, full_name=name, name_fold=fold(name), nationality="TR")
            for person, (_reference, name) in zip(people, players, strict=True)
        ],
        batch_size=5_000,
    )
    Account.objects.bulk_create(
        [
            Account(customer=one, licensee=licensee, brand=brand, reference=reference)
            for one, (reference, _name) in zip(made, players, strict=True)
        ],
        batch_size=5_000,
    )
