"""Files of transactions (compliance.rows), with a mapping of their columns; resumable at any row.

A mapping is a JSON object of our fields (reading.FIELDS). Each says where its value comes from:

    "account": "player_ref"                                  a column
    "currency": {"always": "EUR"}                            the same for every row
    "kind": {"column": "type", "words": {"DEP": "deposit"}}  other words
    "amount": {"column": "amt", "decimals": 2}               10.50 is 1050 minor units, exactly

Each 500 rows are kept in one transaction together with how far the file was read: after a crash the same command goes
on where it stopped. Rows that cannot be accepted hold nobody up: a file beside it says what is wrong with each.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts
from audit.record import record
from cases.types.monitoring.transactions.models import Import
from cases.types.monitoring.transactions.reading import FIELDS, Wrong, read_all
from cases.types.monitoring.transactions.services import MOST_ROWS, RowsRefused, keep
from compliance.people.models import Licensee
from compliance.rows import FileRefused, Say, digest_of, open_table, write_refused


def take_in(
    licensee: Licensee,
    path: Path,
    mapping: Mapping[str, Any] | None,
    *,
    refused_to: Path,
    by: Acts,
    say: Say = lambda done, total: None,
) -> Import:
    """Take a file in, or go on with it. One that was taken in before changes nothing. Raises FileRefused."""
    mapping = checked(mapping or {})
    digest = hashlib.sha256(digest_of(path) + json.dumps(mapping, sort_keys=True).encode()).hexdigest()
    found, _new = Import.objects.get_or_create(licensee=licensee, digest=digest, defaults={"name": path.name[:120]})
    if found.finished_at is not None:
        return found
    table = open_table(path)
    say(found.rows_done, table.total)
    left = islice(table.rows, found.rows_done, None)
    # Appended to: what was refused before a crash stands there already.
    with refused_to.open("a", encoding="utf-8") as refused:
        while part := list(islice(left, MOST_ROWS)):
            with transaction.atomic():
                wrong = _keep_part(found, [mapped(one, mapping) for one in part], licensee)
                write_refused(refused, _refused(part, wrong, found.rows_done - len(part)))
            say(found.rows_done, table.total)
    with transaction.atomic():
        found.finished_at = timezone.now()
        found.save(update_fields=["finished_at"])
        counts = {"accepted": found.accepted, "known": found.known, "refused": found.refused}
        record("transactions.import", by=by, about=found, details={**counts, "file": digest})
    return found


def _keep_part(found: Import, given: list[dict[str, Any]], licensee: Licensee) -> list[Wrong]:
    """Keep what can be kept of 500 rows, and how far the file is read; what is wrong with the others."""
    rows, wrong = read_all(given)
    bad = {one.row for one in wrong}
    places = [number for number in range(len(given)) if number not in bad]
    kept = None
    while kept is None:
        try:
            with transaction.atomic():
                kept = keep(licensee, rows)
        except RowsRefused as refused:
            wrong += [Wrong(places[one.row], one.field, one.code, one.words) for one in refused.wrong]
            out = {one.row for one in refused.wrong}
            rows = [row for number, row in enumerate(rows) if number not in out]
            places = [place for number, place in enumerate(places) if number not in out]
    found.rows_done += len(given)
    found.accepted += kept.accepted
    found.known += kept.known
    found.refused += len({one.row for one in wrong})
    found.save(update_fields=["rows_done", "accepted", "known", "refused"])
    return wrong


def _refused(part: list[dict[str, Any]], wrong: list[Wrong], first: int) -> Iterator[tuple[int, Any]]:
    for number in range(len(part)):
        mine = [{"field": one.field, "code": one.code, "detail": one.words} for one in wrong if one.row == number]
        if mine:
            yield first + number + 1, mine


def checked(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping, or FileRefused that names what it does not know."""
    if not isinstance(mapping, Mapping):
        raise FileRefused(_("The mapping is a JSON object: our field, then your column."))
    for field, source in mapping.items():
        known = isinstance(source, str) or (
            isinstance(source, dict)
            and len({"column", "always"} & set(source)) == 1
            and not set(source) - {"column", "always", "words", "decimals"}
        )
        if field not in FIELDS or not known:
            raise FileRefused(_("The mapping of “%(field)s” is not known.") % {"field": field})
    return dict(mapping)


def mapped(row: Mapping[str, Any], mapping: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the file in our fields. Columns that nothing maps are left out; without a mapping names are ours."""
    found = {name: value for name, value in row.items() if name in FIELDS and name not in mapping}
    for field, source in mapping.items():
        if isinstance(source, str):
            found[field] = row.get(source)
            continue
        value = source["always"] if "always" in source else row.get(source["column"])
        if "words" in source:
            value = source["words"].get(str(value), value)
        found[field] = _minor(value, source["decimals"]) if "decimals" in source else value
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in found.items()}


def _minor(value: Any, decimals: int) -> Any:
    """10.50 with 2 decimals is 1050; what is no such number stays, and is refused by its reader."""
    try:
        scaled = Decimal(str(value)).scaleb(int(decimals))
        whole = int(scaled)
    except (InvalidOperation, ValueError, OverflowError):
        return value
    return whole if whole == scaled else value
