"""Pages of a list that hold still while rows come and go: each begins where the one before ended, not at a count.

A cursor names the place of a row in the order: nothing is skipped or repeated when others are inserted meanwhile. It is
encrypted, because it stands in addresses and a place may be a name.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, Model, Q, QuerySet

Order = tuple[str, ...]  # fields as `order_by` takes them, the last one unique; none of them may be null


class BadCursor(ValueError):
    """The cursor does not belong to this order."""


@dataclass(frozen=True)
class Page:
    """`newer` and `older` are cursors of the pages before and after this one, empty where there is none."""

    rows: list[Any]
    newer: str = ""
    older: str = ""


def page_of(rows: QuerySet[Any], order: Order, *, size: int, after: str = "", before: str = "") -> Page:
    """At most `size` rows after (or right before) a cursor. Raises BadCursor."""
    way = _reversed(order) if before else order
    if cursor := before or after:
        rows = _beyond(rows, way, _values(rows, way, cursor), most=size + 1)
    found = list(rows.order_by(*way)[: size + 1])
    more, found = len(found) > size, found[:size]
    if before:
        found.reverse()
    if not found:
        return Page([])
    return Page(
        found,
        newer=cursor_of(found[0], order) if (more if before else after) else "",
        older=cursor_of(found[-1], order) if (before or more) else "",
    )


def cursor_of(row: Model, order: Order) -> str:
    values = [_value(row, field.lstrip("-")) for field in order]
    place = _cipher(settings.SECRET_KEY).encrypt(json.dumps(values, cls=_Exactly).encode(), None)
    return urlsafe_b64encode(place).rstrip(b"=").decode()


@lru_cache(maxsize=2)
def _cipher(secret: str) -> AESSIV:
    """The same place gives the same cursor, so that an address stays what it is."""
    return AESSIV(hashlib.sha512(b"cases.paging|" + secret.encode()).digest())


class _Exactly(DjangoJSONEncoder):
    """Times with their microseconds, which Django's encoder drops."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)


def _value(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = getattr(row, name)
    return row


def _values(rows: QuerySet[Any], order: Order, cursor: str) -> list[Any]:
    try:
        place = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        given = json.loads(_cipher(settings.SECRET_KEY).decrypt(place, None))
        fields = [_field(rows, name.lstrip("-")) for name in order]
        if not isinstance(given, list) or len(given) != len(fields) or any(isinstance(v, list | dict) for v in given):
            raise BadCursor(BadCursor.__doc__)
        values = [field.to_python(value) for field, value in zip(fields, given, strict=True)]
    except (ValueError, TypeError, InvalidTag, ValidationError, FieldDoesNotExist) as error:
        raise BadCursor(BadCursor.__doc__) from error
    if None in values:
        raise BadCursor(BadCursor.__doc__)
    return values


def _field(rows: QuerySet[Any], path: str) -> "Field[Any, Any]":
    if path in rows.query.annotations:
        reckoned = rows.query.annotations[path].output_field
        assert isinstance(reckoned, Field)
        return reckoned
    model: type[Model] = rows.model
    *through, last = path.split("__")
    for name in through:
        related = model._meta.get_field(name).related_model
        assert isinstance(related, type)
        model = related
    field = model._meta.get_field(last)
    assert isinstance(field, Field)
    return field


def _reversed(order: Order) -> Order:
    return tuple(field[1:] if field.startswith("-") else f"-{field}" for field in order)


def _beyond(rows: QuerySet[Any], order: Sequence[str], values: Sequence[Any], *, most: int) -> QuerySet[Any]:
    """Rows after a place, at least the first `most` of them: of (a, b, c) after (x, y, z) those with a = x and (b, c)
    after (y, z), and those with a > x.

    Each of these is a stretch of the index of this order. Asked with one "or", the database would read the index from
    its beginning up to the place, so that the thousandth page cost a thousand.
    """
    stretches: list[QuerySet[Any]] = []
    *leading, last = zip(order, values, strict=True)
    equal = Q()
    for number, (field, value) in enumerate(leading, 1):
        beyond = _past(field, value)
        if number == len(leading):
            beyond = _past(field, value, orequal=True) & (beyond | _past(*last))
        stretches.insert(0, rows.filter(equal & beyond))
        equal &= Q(**{field.removeprefix("-"): value})
    if len(stretches) < 2:
        return stretches[0] if stretches else rows.filter(_past(*last))
    first, *others = (stretch.order_by(*order).values("pk")[:most] for stretch in stretches)
    return rows.filter(pk__in=first.union(*others, all=True))


def _past(field: str, value: Any, *, orequal: bool = False) -> Q:
    name, comparison = (field[1:], "lt") if field.startswith("-") else (field, "gt")
    return Q(**{f"{name}__{comparison}{'e' if orequal else ''}": value})
