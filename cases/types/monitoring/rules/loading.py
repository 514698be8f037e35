"""Transactions as columns for back-tests, read from the database in its binary form: no row becomes a Python object."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from django.db import connection

from cases.patterns.events import ATTRIBUTES, EPOCH, HOUR, SECOND, SLOT, UNKNOWN
from cases.types.monitoring.rules.columns import NONE, Ints, Table
from compliance.people.models import Licensee

FIRST, LAST = UUID(int=0), UUID(int=2**128 - 1)
_HEAD, _END = 19, 2  # bytes before the first row and after the last one
_Y2K: Final = int((datetime(2000, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * SECOND


def slices(count: int) -> Iterator[tuple[UUID, UUID]]:
    """The space of customer ids in `count` equal parts, ends included."""
    width = (1 << 128) // count
    for number in range(count):
        last = (1 << 128) - 1 if number == count - 1 else (number + 1) * width - 1
        yield UUID(int=number * width), UUID(int=last)


def table_of(
    licensee: Licensee,
    *,
    until: datetime,
    names: set[str],
    first: UUID = FIRST,
    last: UUID = LAST,
) -> tuple[Table, npt.NDArray[Any]]:
    """The transactions before `until` of customers from `first` to `last`, with the raw columns `names`; and what was
    read, in the same order: `id` and `customer` are 16 bytes each."""
    fields = [("customer", "uuid"), ("id", "uuid"), ("time", "int8"), ("currency", "int4")]
    fields += [(name, "uuid" if name == "instrument" else "int8") for name in sorted(names)]
    read = _read(licensee, until, fields, first, last)
    words = _halves(read["customer"]), _halves(read["id"])
    order = np.lexsort((words[1][:, 1], words[1][:, 0], read["time"], words[0][:, 1], words[0][:, 0]))
    read = read[order]
    return make_table(read, licensee.zone, names), read


def make_table(read: npt.NDArray[Any], zone: ZoneInfo, names: set[str]) -> Table:
    """Rows that are sorted by customer, time and id as a table. `time` of `read` is microseconds since 2000."""
    time: Ints = read["time"].astype(np.int64) + _Y2K
    customer = _halves(read["customer"])
    changed = np.ones(len(read), bool)
    changed[1:] = (customer[1:] != customer[:-1]).any(axis=1)
    instrument = _numbered(read["instrument"]) if "instrument" in names else None
    return Table(
        customer=np.cumsum(changed) - 1,
        time=time,
        hour=time // HOUR,
        day=days(time, zone),
        currency=read["currency"].astype(np.int64),
        columns={name: read[name].astype(np.int64) for name in names if name != "instrument"},
        instrument=instrument,
    )


def days(time: Ints, zone: ZoneInfo) -> Ints:
    """The licensee's day of each moment: asked once for each quarter of an hour, where days can begin."""
    slots, which = np.unique(time // SLOT, return_inverse=True)
    begin = [(EPOCH + timedelta(seconds=int(slot) * 900)).astimezone(zone).date().toordinal() for slot in slots]
    found: Ints = np.array(begin, np.int64)[which]
    return found


def _halves(keys: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """16 bytes as two numbers that sort as the database sorts them."""
    return np.ascontiguousarray(keys).view(">u8").reshape(-1, 2)


def _numbered(keys: npt.NDArray[Any]) -> Ints:
    """Small numbers for digests, NONE for none."""
    words = _halves(keys).astype(np.uint64)
    none = (words == 0).all(axis=1)
    _keys, which = np.unique(words[:, 0] ^ (words[:, 1] * np.uint64(0x9E3779B97F4A7C15)), return_inverse=True)
    return np.where(none, NONE, which).astype(np.int64)


def _sql(name: str) -> str:
    """A column as a whole number."""
    if name == "instrument":
        return "coalesce(instrument, '00000000-0000-0000-0000-000000000000')"
    if name == "kind" or ATTRIBUTES.get(name) is not None and ATTRIBUTES[name].codes:
        words = ", ".join(f"'{word}'" for word in ATTRIBUTES[name].codes or ())
        return f"(coalesce(array_position(ARRAY[{words}]::varchar[], {name}), 0) - 1)::int8"  # -1: none that we know
    if name in ATTRIBUTES and ATTRIBUTES[name].codes == ():
        return f"(CASE WHEN {name} = '' THEN 0 ELSE ascii({name}) * 256 + ascii(substr({name}, 2)) END)::int8"
    if name == "holder_match":
        return f"coalesce(holder_match, {UNKNOWN})::int8"
    return f"coalesce({name}::int, 0)::int8" if name == "proxy" else f"coalesce({name}, 0)::int8"


def _read(
    licensee: Licensee, until: datetime, fields: list[tuple[str, str]], first: UUID, last: UUID
) -> npt.NDArray[Any]:
    said = {
        "customer": "customer_id",
        "id": "id",
        "time": "at",
        "currency": "ascii(currency) * 65536 + ascii(substr(currency, 2)) * 256 + ascii(substr(currency, 3))",
    }
    columns = ", ".join(said.get(name) or _sql(name) for name, _type in fields)
    statement = (
        f"COPY (SELECT {columns} FROM transactions_transaction WHERE licensee_id = %s AND at < %s"
        " AND customer_id BETWEEN %s AND %s) TO STDOUT (FORMAT BINARY)"
    )
    data = bytearray()
    connection.ensure_connection()
    with (
        connection.wrap_database_errors,
        connection.connection.cursor() as cursor,
        cursor.copy(statement, (licensee.pk, until, first, last)) as copy,
    ):
        for block in copy:
            data += block
    dtype = _row_type(fields)
    count = (len(data) - _HEAD - _END) // dtype.itemsize
    return np.frombuffer(bytes(data), dtype, count=max(count, 0), offset=_HEAD)


def _row_type(fields: list[tuple[str, str]]) -> np.dtype[Any]:
    """A row of COPY's binary form: how many fields, then each with its length. None of ours is ever empty."""
    kinds = {"uuid": "V16", "int8": ">i8", "int4": ">i4"}
    parts: list[tuple[str, str]] = [("_fields", ">i2")]
    for name, kind in fields:
        parts += [(f"_of_{name}", ">i4"), (name, kinds[kind])]
    return np.dtype(parts)
