"""Many invented players, verifications and papers, for trying the desk at the size of a real operator. Seeded.

Written by SQL and COPY, past the product's acts, because a million acts take hours: the log holds one entry for the
batch and says so. Players have names, references, levels and the digests of contacts that nobody has; their keys are
made when something of theirs is sealed for the first time. The rows of papers have the size and type of up to a hundred
real files of the vault and no file of their own: whoever opens one is told that it cannot be read.
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
from cases.demo import files
from cases.models import Queue
from cases.numbers import Number, reserve
from cases.types.verification.models import KIND
from compliance.people.models import Brand, User
from compliance.people.queries import fold
from compliance.policy import policy_for
from documents.models import Document

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
BATCH: Final = 50_000
REAL_FILES: Final = 100
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
    INSERT INTO people_customer (id, person_id, licensee_id, full_name, name_fold, name_latin, birth_date, nationality,
                                 address, risk, level, created_at)
    SELECT id, person, %(licensee)s, (%(first)s::text[])[f] || ' ' || (%(last)s::text[])[l],
           (%(first_fold)s::text[])[f] || ' ' || (%(last_fold)s::text[])[l], '', date '1950-01-01' + (n %% 20000)::int,
           'TR', '', 'medium', 'L0', now()
    FROM made
)
INSERT INTO people_account (id, customer_id, licensee_id, brand_id, reference, email_index, phone_index, language,
                            time_zone, created_at)
SELECT md5(%(seed)s || 'a' || n)::uuid, id, %(licensee)s, %(brand)s, %(seed)s || '-' || n,
       sha256(('e' || id)::bytea), sha256(('p' || id)::bytea),
       (ARRAY['tr', 'tr', 'tr', 'en', 'ar'])[1 + n %% 5], 'Europe/Istanbul', now()
FROM made
"""
_DOCUMENTS = """
INSERT INTO documents_document (id, version, customer_id, state, reason, media_type, size, digest_index,
                                ciphertext_digest, dek_wrapped, key_version, facts, received_at, inspected_at,
                                scrubbed_at, attempts)
SELECT md5(%(seed)s || 'd' || n)::uuid, 1, md5(%(seed)s || 'c' || (1 + (n - 1) %% %(customers)s))::uuid, 'ready', '',
       (%(types)s::text[])[1 + n %% cardinality(%(types)s::text[])],
       (%(sizes)s::bigint[])[1 + n %% cardinality(%(sizes)s::bigint[])],
       sha256((%(seed)s || 'd' || n)::bytea), sha256((%(seed)s || 'e' || n)::bytea), '\\x00', 1, '{}',
       now() - n %% 90 * interval '1 day', now(), now(), 1
FROM generate_series(%(begin)s::bigint, %(end)s::bigint) AS n
"""
# The first two papers of who has a case: looked at as far as its state says.
_EVIDENCE = """
INSERT INTO cases_evidence (id, version, case_id, purpose, document_type, document_id, state, reasons, told, created_at)
SELECT md5('v' || d.id)::uuid, 0, c.id, (ARRAY['identity_front', 'address'])[d.n],
       (ARRAY['passport', 'bank_statement'])[d.n], d.id,
       CASE WHEN c.state = 'open' THEN 'pending' WHEN d.n = 1 THEN 'accepted'
            WHEN c.state = 'waiting' THEN 'returned' ELSE 'pending' END,
       CASE WHEN c.state = 'waiting' AND d.n = 2 THEN ARRAY['image_blurry'] ELSE ARRAY[]::varchar[] END,
       c.state = 'waiting' AND d.n = 2, now()
FROM people_account a JOIN cases_case c ON c.account_id = a.id JOIN (
    SELECT id, customer_id, row_number() OVER (PARTITION BY customer_id ORDER BY id) AS n FROM documents_document
) d ON d.customer_id = c.customer_id AND d.n <= 2
WHERE a.brand_id = %(brand)s AND starts_with(a.reference, %(seed)s)
"""
_PLAYERS = "SELECT customer_id, id FROM people_account WHERE brand_id = %s AND starts_with(reference, %s) ORDER BY id"


Say = Callable[[str, int, int], None]


def generate(
    queue: Queue,
    brand: Brand,
    *,
    customers: int,
    cases: int,
    by: Acts,
    seed: str,
    documents: int = 0,
    say: Say = lambda what, done, total: None,
) -> None:
    """Add `customers` players at `brand`, `cases` open verifications, at most one each, in `queue`, and `documents`.

    `seed` begins every operator's reference and may be used once. `say` is told what is written, how many so far, and
    of how many. A run that was cut off leaves whole batches; a new one takes a seed of its own.
    """
    if cases > customers or (documents and not customers):
        raise ValueError(
            f"{cases} cases, {documents} documents: a player has one case at a time; there are {customers}."
        )
    batch: dict[str, Any] = {"seed": seed, "customers": customers} | _names() | _places(queue, brand) | _files()
    for statement, what, count in ((_CUSTOMERS, "customers", customers), (_DOCUMENTS, "documents", documents)):
        for begin in range(0, count, BATCH):
            end = min(begin + BATCH, count)
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, batch | {"begin": begin + 1, "end": end})
            say(what, end, count)
    with transaction.atomic():
        _add_cases(queue, brand, cases, seed)
        if documents:
            with connection.cursor() as cursor:
                cursor.execute(_EVIDENCE, {"brand": brand.pk, "seed": f"{seed}-"})
        details = {"customers": customers, "cases": cases, "documents": documents, "seed": seed}
        record("demo.generate", by=by, about=queue, details=details)
    say("cases", cases, cases)


def fill(
    queue: Queue, brand: Brand, *, customers: int, cases: int, documents: int, by: Acts, seed: str, say: Say
) -> None:
    """`generate`, after the real files that the rows of papers are modelled on."""
    worker = User.objects.filter(memberships__team=queue.team, memberships__role="agent", is_active=True).first()
    if worker is not None:  # the vault takes files from people only
        real = min(documents, REAL_FILES)
        files.hand_in(queue, brand, real, by=worker, seed=seed, say=say)
        documents -= real
    generate(queue, brand, customers=customers, cases=cases, documents=documents, by=by, seed=seed, say=say)


def _files() -> dict[str, Any]:
    """Type and size of up to a hundred real files; without any, of a usual photograph."""
    real = list(Document.objects.filter(state="ready").values_list("media_type", "size")[:REAL_FILES])
    types, sizes = zip(*(real or [("image/jpeg", 1_400_000)]), strict=True)
    return {"types": list(types), "sizes": list(sizes)}


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


def _add_cases(queue: Queue, brand: Brand, count: int, seed: str) -> None:
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
        made = []
        with cursor.copy(f"COPY cases_case ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
                made.append(row[0])
        with cursor.copy("COPY verification_verificationfacts (case_id, level) FROM STDIN") as copy:
            for pk in made:
                copy.write_row((pk, "L2"))


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
