"""The evidence basket: what a report may rest on, each with the SHA-256 of what it was when it was put in."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.canonical import canonical, plain
from audit.perform import ConditionsNotMet, Denied
from audit.record import record, record_refusal
from cases.patterns.kinds import Kind
from cases.types.monitoring import leads, services
from cases.types.monitoring.models import Exhibit, Investigation
from cases.types.monitoring.permissions import may_work
from cases.types.monitoring.rules.models import Flag
from cases.types.monitoring.sealing import TITLE, opened, opened_file, sealed, sealed_file
from cases.types.monitoring.transactions.models import Transaction
from compliance import formats
from compliance.people.models import User
from documents.models import Document

MOST_BYTES = 10 * 1024 * 1024
MOST_OFFERED = 50


@transaction.atomic
def put_in(investigation: Investigation, kind: str, source_id: UUID, *, by: User) -> Exhibit:
    """Something that stands elsewhere, of this investigation's players only. In already, it is the same exhibit."""
    fresh = _for_work(investigation, by, "monitoring.put_in")
    try:
        digest, title = SOURCES[kind](fresh, source_id)
    except (KeyError, ObjectDoesNotExist):
        raise ConditionsNotMet([_("There is nothing of this kind to put in.")]) from None
    return _put(fresh, Exhibit(kind=kind, source_id=source_id, digest=digest), title, by=by)


@transaction.atomic
def put_file_in(investigation: Investigation, *, name: str, data: bytes, by: User) -> Exhibit:
    """A file of ours, such as an answer of the authority. It is kept sealed here and never stands with the player."""
    fresh = _for_work(investigation, by, "monitoring.put_in")
    if not data or len(data) > MOST_BYTES:
        raise ConditionsNotMet([_("Choose a file of at most %(most)s MB.") % {"most": MOST_BYTES // 2**20}])
    exhibit = Exhibit(kind=Exhibit.Kind.FILE, digest=hashlib.sha256(data).hexdigest(), size=len(data))
    exhibit.data_sealed = sealed_file(data, exhibit.pk)
    return _put(fresh, exhibit, name[:120], by=by)


@transaction.atomic
def take_out(exhibit: Exhibit, *, by: User) -> Exhibit:
    """It no longer belongs there. The row stays, with who took it out."""
    fresh = _for_work(exhibit.investigation, by, "monitoring.take_out")
    if exhibit.taken_out_at is None:
        exhibit.taken_out_at, exhibit.taken_out_by = timezone.now(), by
        exhibit.save(update_fields=["taken_out_at", "taken_out_by"])
        fresh.version += 1
        fresh.save(update_fields=["version"])
        record("monitoring.take_out", by=by, about=fresh, details={"exhibit": exhibit.kind, "digest": exhibit.digest})
    return exhibit


@transaction.atomic
def take_file(exhibit: Exhibit, *, by: User) -> bytes:
    """The file as it was put in; each taking is an entry."""
    if exhibit.data_sealed is None:
        raise ConditionsNotMet([_("This is no file.")])
    record("monitoring.take_file", by=by, about=exhibit.investigation, details={"digest": exhibit.digest})
    return opened_file(exhibit.data_sealed, exhibit.pk)


def contents(investigation: Investigation) -> list[tuple[Exhibit, str]]:
    """What lies in it, and in those that were merged into it, with titles; the oldest first."""
    rows = Exhibit.objects.filter(investigation__in=services.whole(investigation), taken_out_at=None)
    found = rows.select_related("put_in_by").defer("data_sealed").order_by("put_in_at")
    return [(row, title_of(row)) for row in found]


def title_of(exhibit: Exhibit) -> str:
    return opened(TITLE, exhibit.title_sealed, exhibit.pk)


def offered(investigation: Investigation) -> list[tuple[str, UUID, str]]:
    """Kind, id and title of what could be put in and is not: leads, and documents of the players."""
    inside = {(row.kind, row.source_id) for row, _title in contents(investigation)}
    found = []
    for lead in leads_of(investigation):
        found.append((lead.kind, lead.source_id, leads.lookup(lead.kind).load(lead.source_id).title))
    documents = Document.objects.filter(customer__in=services.players_of(investigation), state="ready")
    found += [("document", row.pk, _document_title(row)) for row in documents.order_by("-received_at")[:50]]
    return [one for one in found if one[:2] not in inside]


def offered_transactions(investigation: Investigation) -> list[tuple[UUID, str]]:
    """Deposits and withdrawals that could be put in and are not: those that the flags counted, then the players'
    newest, at most MOST_OFFERED. A report names them one by one."""
    players = services.players_of(investigation)
    flagged = [lead.source_id for lead in leads_of(investigation) if lead.kind == "flag"]
    moves = Transaction.objects.filter(customer__in=players, kind__in=(Kind.DEPOSIT, Kind.WITHDRAWAL))
    named = {one for flag in Flag.objects.filter(pk__in=flagged) for one in flag.transactions}
    inside = {row.source_id for row, _title in contents(investigation) if row.source_id}
    found: dict[UUID, Transaction] = {}
    for rows in (moves.filter(pk__in=named), moves):
        for row in rows.exclude(pk__in=inside).order_by("-at", "-id")[:MOST_OFFERED]:
            found.setdefault(row.pk, row)
    return [(pk, f"{formats.day(row.at)} · {_said(row)}") for pk, row in list(found.items())[:MOST_OFFERED]]


def leads_of(investigation: Investigation) -> list[Any]:
    rows = investigation.leads.model.objects.filter(investigation__in=services.whole(investigation))
    return list(rows.order_by("attached_at"))


def _put(investigation: Investigation, exhibit: Exhibit, title: str, *, by: User) -> Exhibit:
    standing = Exhibit.objects.filter(investigation=investigation, digest=exhibit.digest, taken_out_at=None).first()
    if standing is not None:
        return standing
    exhibit.investigation, exhibit.put_in_by = investigation, by
    exhibit.title_sealed = sealed(TITLE, title, exhibit.pk)
    exhibit.save(force_insert=True)
    investigation.version += 1
    investigation.save(update_fields=["version"])
    details = {"exhibit": exhibit.kind, "digest": exhibit.digest}
    record("monitoring.put_in", by=by, about=investigation, details=details)
    return exhibit


def _for_work(investigation: Investigation, by: User, action: str) -> Investigation:
    fresh = services.locked(investigation)
    if not may_work(fresh, by):
        record_refusal(action, by=by, about=fresh, reason="no_right")
        raise Denied("no_right")
    if fresh.state in ("closed", "merged"):
        raise ConditionsNotMet([_("This investigation is closed or went on in another.")])
    return fresh


# ------------------------------------------------------------------------------------------- what can be put in
def _lead(kind: str) -> Callable[[Investigation, UUID], tuple[str, str]]:
    def found(investigation: Investigation, source_id: UUID) -> tuple[str, str]:
        ids = services.whole(investigation)
        investigation.leads.model.objects.get(investigation__in=ids, kind=kind, source_id=source_id)
        return leads.digest_of(kind, source_id), leads.lookup(kind).load(source_id).title

    return found


def _document(investigation: Investigation, document_id: UUID) -> tuple[str, str]:
    """By the digest of the sealed file: looking at the paper itself would be an entry of the main log."""
    row = Document.objects.get(pk=document_id, customer__in=services.players_of(investigation))
    return bytes(row.ciphertext_digest).hex(), _document_title(row)


def _document_title(document: Document) -> str:
    return f"{_('Document of the player')}, {formats.day(document.received_at)}"


def _transaction(investigation: Investigation, transaction_id: UUID) -> tuple[str, str]:
    row = Transaction.objects.get(pk=transaction_id, customer__in=services.players_of(investigation))
    facts = {field.attname: plain(getattr(row, field.attname)) for field in row._meta.concrete_fields}
    return hashlib.sha256(canonical({key: str(value) for key, value in facts.items()})).hexdigest(), _said(row)


def _said(row: Transaction) -> str:
    return f"{row.get_kind_display()} {formats.money(row.amount, row.currency)}, {row.source_id}"


SOURCES: Mapping[str, Callable[[Investigation, UUID], tuple[str, str]]] = {
    "suspicion": _lead("suspicion"),
    "flag": _lead("flag"),
    "document": _document,
    "transaction": _transaction,
}
