"""Rows of a file that somebody hands us: read as CSV, JSON lines or Parquet, and taken in one by one, resumable.

A row that is here already changes nothing, so the same command goes on where it stopped. What cannot be taken holds
nobody up: a file beside it says what is wrong with each row, and never what stands in it.
"""

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from audit.perform import ConditionsNotMet

Say = Callable[[int, int], None]
_PIECE: Final = 1 << 20


class FileRefused(ValueError):
    """The file cannot be read as it is. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Table:
    """`total` rows; the `columns` that its first line names, None where each row names its own."""

    total: int
    columns: Sequence[str] | None
    rows: Iterator[dict[str, Any]]


def open_table(path: Path) -> Table:
    """The ending of the name says which form it is in. Raises FileRefused. What is no row comes as an empty one."""
    match path.suffix.lower():
        case ".csv":
            return Table(max(_lines(path) - 1, 0), _head(path), _csv(path))
        case ".jsonl" | ".ndjson":
            return Table(_lines(path), None, _jsonl(path))
        case ".parquet":
            file = _parquet_file(path)
            rows = (row for batch in file.iter_batches(10_000) for row in batch.to_pylist())
            return Table(file.metadata.num_rows, file.schema_arrow.names, rows)
    raise FileRefused(_("The name ends in .csv, .jsonl or .parquet."))


def _head(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file).fieldnames or ())


def _csv(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        yield from csv.DictReader(file)


def _jsonl(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            yield row if isinstance(row, dict) else {}


def _parquet_file(path: Path) -> Any:
    try:
        return import_string("pyarrow.parquet.ParquetFile")(path)
    except ImportError:
        raise FileRefused(
            _("Parquet needs the extra “parquet” of this product (pyarrow). CSV needs nothing.")
        ) from None


def _lines(path: Path) -> int:
    count, last = 0, b"\n"
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            count += piece.count(b"\n")
            last = piece[-1:]
    return count + (last != b"\n")


def digest_of(path: Path) -> bytes:
    """SHA-256 of the file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.digest()


def write_refused(out: Any, refused: Iterable[tuple[int, Any]]) -> None:
    """Numbers of rows, from 1, and what is wrong with each. Call it before the block is committed: it is on the disk
    then, so a crash in between says it twice, and never not at all."""
    for number, wrong in refused:
        out.write(json.dumps({"row": number, "wrong": wrong}, ensure_ascii=False) + "\n")
    out.flush()
    os.fsync(out.fileno())


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of ours. `key` tells rows apart and is `needed`; `beyond(names)` says why no other one is taken."""

    key: str
    needed: Sequence[str]
    known: Sequence[str]
    beyond: Callable[[str], str]


@dataclass(slots=True)
class Taken:
    """`known` rows were here already."""

    rows: int = 0
    taken: int = 0
    known: int = 0
    refused: int = 0


@dataclass(slots=True)
class Intake:
    """A file and what is done with each of its rows.

    `here(keys)` are those that are here already. `take(row)` gets the named values as trimmed text, absent ones left
    out, in a transaction of its own, and raises ValidationError or ConditionsNotMet. Each `block` is one transaction.
    """

    path: Path
    columns: Columns
    here: Callable[[list[str]], set[str]]
    take: Callable[[dict[str, str]], Any]
    block: int = 500
    done: Taken = field(default_factory=Taken)

    def run(self, *, refused_to: Path, dry_run: bool = False, say: Say = lambda done, total: None) -> Taken:
        """Take the file in, or go on with it. `dry_run` tries every row and keeps none. Raises FileRefused."""
        table = open_table(self.path)
        self._check(table.columns)
        with refused_to.open("w", encoding="utf-8") as out:
            while part := list(islice(table.rows, self.block)):
                with transaction.atomic():
                    write_refused(out, self._take_part(part))
                    transaction.set_rollback(dry_run)
                say(self.done.rows, table.total)
        return self.done

    def _check(self, columns: Sequence[str] | None) -> None:
        if columns is None:
            return
        if lacking := [name for name in self.columns.needed if name not in columns]:
            names = ", ".join(lacking)
            raise FileRefused(_("The first line names the columns. Missing: %(names)s.") % {"names": names})
        if unknown := [name for name in columns if name and name not in self.columns.known]:
            raise FileRefused(self.columns.beyond(", ".join(unknown)))

    def _take_part(self, part: list[dict[str, Any]]) -> list[tuple[int, Any]]:
        keys = [str(row.get(self.columns.key) or "").strip() for row in part]
        here, refused = self.here(keys), []
        for row, key in zip(part, keys, strict=True):
            self.done.rows += 1
            if key in here:
                self.done.known += 1
                continue
            try:
                with transaction.atomic():
                    self.take(self._given(row))
                self.done.taken += 1
            except (ValidationError, ConditionsNotMet) as error:
                self.done.refused += 1
                refused.append((self.done.rows, _wrong(error)))
        return refused

    def _given(self, row: Mapping[str, Any]) -> dict[str, str]:
        columns = self.columns
        if unknown := [str(name or "-") for name, value in row.items() if name not in columns.known and _says(value)]:
            raise ValidationError({name: columns.beyond(name) for name in unknown})
        given = {name: str(value).strip() for name in columns.known if (value := row.get(name)) not in (None, "")}
        if missing := [name for name in columns.needed if name not in given]:
            raise ValidationError({name: _("This is needed.") for name in missing})
        return given


def _says(value: Any) -> bool:
    """Whether something stands there. Cells beyond the last column come as a list."""
    return any(value) if isinstance(value, list) else value not in (None, "")


def _wrong(error: ValidationError | ConditionsNotMet) -> Any:
    if isinstance(error, ConditionsNotMet):
        return {"": [str(reason) for reason in error.reasons]}
    return error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
