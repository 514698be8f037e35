"""Many invented players and verifications, for trying the desk at the size of a real operator. Seeded: the same twice.

Written by SQL and COPY, past the product's acts, because a million acts take hours: the log holds one entry for the
batch and says so. Players have names, references and levels, but no papers and no contacts; their keys are made when
something of theirs is sealed for the first time.
"""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from audit.actors import Acts
from audit.record import record
from cases import kinds
from cases.models import Queue
from cases.numbers import Number, reserve
from cases.types.verification.models import KIND
from compliance.people.models import Brand, User
from compliance.people.queries import fold
from compliance.policy import policy_for

FIRST: Final = (
    "Ahmet Ayşe Mehmet Fatma Mustafa Emine Ali Hatice Hüseyin Zeynep İbrahim Elif İsmail Meryem Osman Şerife Yusuf "
    "Sultan Murat Zehra Ömer Hanife Ramazan Merve Halil Havva Süleyman Özlem Hasan Yasemin Işıl Çağrı Gökhan Büşra "
    "Anna Paul Marie Omar Chen Olga"
)
LAST: Final = (
    "Yılmaz Kaya Demir Şahin Çelik Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan Kılıç Aslan Çetin Kara Koç Kurt "
    "Özkan Şimşek Polat Korkmaz Çakır Erdoğan Yavuz Can Acar Şen Aktaş Güler Yalçın Güneş Bozkurt Bulut Keskin Ünal "
    "Turan Gül Özer Işık Kaplan Avcı Sarı Tekin Taş Köse Yüksel Ateş Aksoy Coşkun Smith Müller Ivanova Haddad Wang"
)
BATCH: Final = 100_000
Row = tuple[Any, ...]
STATES: Final = ("open", "in_review", "waiting")

_CUSTOMERS = """
WITH made AS (
    SELECT n, md5(%(seed)s || 'c' || n)::uuid AS id, md5(%(seed)s || 'p' || n)::uuid AS person,
           1 + (hashint8(n) & 2147483647) %% cardinality(%(first)s::text[]) AS f,
           1 + (hashint8(n * 7919) & 2147483647) %% cardinality(%(last)s::text[]) AS l
    FROM generate_series(%(begin)s::bigint, %(end)s::bigint) AS n
), people AS (
    INSERT INTO people_person (id, created_at) SELECT person, now() FROM made
), customers AS (
    INSERT INTO people_customer (id, person_id, licensee_id, full_name, name_fold, birth_date, nationality, address,
                                 risk, level, created_at)
    SELECT id, person, %(licensee)s, (%(first)s::text[])[f] || ' ' || (%(last)s::text[])[l],
           (%(first_fold)s::text[])[f] || ' ' || (%(last_fold)s::text[])[l], date '1950-01-01' + (n %% 20000)::int,
           'TR', '', 'medium', 'L0', now()
    FROM made
)
INSERT INTO people_account (id, customer_id, licensee_id, brand_id, reference, language, time_zone, created_at)
SELECT md5(%(seed)s || 'a' || n)::uuid, id, %(licensee)s, %(brand)s, %(seed)s || '-' || n,
       (ARRAY['tr', 'tr', 'tr', 'en', 'ar'])[1 + n %% 5], 'Europe/Istanbul', now()
FROM made
"""
_PLAYERS = "SELECT customer_id, id FROM people_account WHERE brand_id = %s AND starts_with(reference, %s) ORDER BY id"


def generate(
    queue: Queue, brand: Brand, *, customers: int, cases: int, by: Acts, seed: str, say: Callable[[str, int], None]
) -> None:
    """Add `customers` players at `brand` and `cases` open verifications, at most one each, to `queue`.

    `seed` begins every operator's reference and may be used once. `say` is told what is written, and how many so far.
    """
    if cases > customers:
        raise ValueError(f"cases: {cases} are more than {customers} customers, and a player has one at a time.")
    for begin in range(0, customers, BATCH):
        end = min(begin + BATCH, customers)
        with transaction.atomic(), connection.cursor() as cursor:
            batch: dict[str, Any] = {"seed": seed, "begin": begin + 1, "end": end}
            cursor.execute(_CUSTOMERS, batch | _names() | _places(queue, brand))
        say("customers", end)
    with transaction.atomic():
        _add_cases(queue, brand, cases, seed, say)
        details = {"customers": customers, "cases": cases, "seed": seed}
        record("demo.generate", by=by, about=queue, details=details)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE people_customer, people_account, cases_case")


def _names() -> dict[str, list[str]]:
    first, last = FIRST.split(), LAST.split()
    return {
        "first": first,
        "last": last,
        "first_fold": [fold(name) for name in first],
        "last_fold": [fold(name) for name in last],
    }


def _places(queue: Queue, brand: Brand) -> dict[str, Any]:
    return {"licensee": queue.licensee_id, "brand": brand.pk}


def _add_cases(queue: Queue, brand: Brand, count: int, seed: str, say: Callable[[str, int], None]) -> None:
    now = timezone.now()
    columns = (
        "id, number, kind, customer_id, account_id, licensee_id, jurisdiction, queue_id, state, outcome, reason,"
        " waiting_for, priority, assignee_id, restricted, policy_version, opened_at, opened_by, due_at, version"
    )
    first = reserve(kinds.lookup(KIND).prefix, count, now=now)
    with connection.cursor() as cursor:
        cursor.execute(f"{_PLAYERS} LIMIT %s", [brand.pk, f"{seed}-", count])
        players = cursor.fetchall()
        rows = _rows(
            queue, players, first, now, seed
        )  # asks what it needs now: nothing else may be asked during a COPY
        with cursor.copy(f"COPY cases_case ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            "INSERT INTO verification_verificationfacts (case_id, level) SELECT id, 'L1' FROM cases_case c"
            " WHERE c.queue_id = %s AND NOT EXISTS (SELECT FROM verification_verificationfacts WHERE case_id = c.id)",
            [queue.pk],
        )
    say("cases", count)


def _rows(queue: Queue, players: list[tuple[UUID, UUID]], first: int, now: datetime, seed: str) -> Iterator[Row]:
    """Open cases of the last 90 days; a third each new, in review and waiting, every second one somebody's."""
    staff = list(User.objects.filter(memberships__team=queue.team).values_list("pk", flat=True))
    policy = policy_for(queue.licensee.jurisdiction, on=now.date()).version
    prefix, licensee, chance = kinds.lookup(KIND).prefix, queue.licensee, random.Random(seed)

    def row(index: int, customer: UUID, account: UUID) -> Row:
        state = chance.choice(STATES)
        opened = now - timedelta(seconds=chance.randrange(90 * 86_400))
        return (
            UUID(int=chance.getrandbits(128), version=4),
            str(Number(prefix, now.year % 100, first + index)),
            KIND,
            customer,
            account,
            licensee.pk,
            licensee.jurisdiction,
            queue.pk,
            state,
            "",
            "",
            "player" if state == "waiting" else "",
            chance.choice((0, 0, 0, 0, 1, 2)),
            chance.choice(staff) if staff and chance.random() < 0.5 else None,
            False,
            policy,
            opened,
            "system:demo",
            opened + timedelta(hours=72),
            0,
        )

    return (row(index, *player) for index, player in enumerate(players))
