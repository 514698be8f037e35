"""What may stand in a row that waits: ids and codes. Names and texts stay in tables that can forget them."""

import re
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any
from uuid import UUID

_CODE = re.compile(r"[A-Za-z0-9_.:/+-]{0,120}")

Plain = None | bool | int | str | list["Plain"]


class FreeText(ValueError):
    """Something other than an id, a code, a number or a date. Write it, sealed, where it belongs and pass its id."""


def ids_only(data: Mapping[str, Any]) -> dict[str, Plain]:
    """The same facts as plain JSON. Raises FreeText for a space, an @, a float, or what is nested in a dict."""
    return {name: _plain(name, value) for name, value in data.items()}


def _plain(name: str, value: Any) -> Plain:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, UUID | date):
        return str(value) if isinstance(value, UUID) else value.isoformat()
    if isinstance(value, Enum):
        return _plain(name, value.value)
    if isinstance(value, str) and _CODE.fullmatch(value):
        return value
    if isinstance(value, list | tuple):
        return [_plain(name, one) for one in value]
    raise FreeText(
        f"{name}: only ids, codes, numbers and dates can wait here, not {type(value).__name__} with other contents."
    )
