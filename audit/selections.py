"""What an export holds: one case, one customer, a period, or everything. How much that is, and which entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit import moments, queries
from audit.queries import Row

KINDS = ("case", "customer", "period", "full")
MOST_ENTRIES = 20_000  # in a case or customer bundle, which is made in memory; more is a period or everything


class CannotExport(Exception):
    """The export is refused; the text says why and what to do."""

    def __init__(self, why: str | Promise) -> None:
        super().__init__(str(why))


class NeedsTwo(CannotExport):
    """More than one person exports alone: it is proposed, and a second person confirms it. `found` is how many."""

    def __init__(self, found: int, most: int) -> None:
        super().__init__(
            str(
                _(
                    "These are {found} entries. One person alone exports at most {most}: a larger export needs two "
                    "persons. Have it proposed for a second person to confirm, or run manage.py audit export on the "
                    "server."
                )
            ).format(found=found, most=most)
        )
        self.found = found


@dataclass(frozen=True)
class Selection:
    """`of` is the number of a case or the id of a customer; `from_on` and `to_on` the days (UTC, both included) of a
    period. `since` are sizes of checkpoints held outside. `recipient` is the X25519 public key (base64) to whom sealed
    parts come along; without one they stay.
    """

    kind: str
    of: str | None = None
    log: str = "main"
    since: Sequence[int] = ()
    from_on: date | None = None
    to_on: date | None = None
    recipient: str | None = None

    @property
    def title(self) -> str | None:
        """What it is about, for the manifest and the file's name; None for everything."""
        if self.kind == "period":
            return f"{self.from_on}_{self.to_on}"
        return self.of

    @property
    def in_tiles(self) -> bool:
        """Whole tiles of the tree rather than single entries with their proofs."""
        return self.kind in ("period", "full")


def count(selection: Selection, size: int) -> int:
    """How many entries below `size` it holds."""
    if selection.kind == "full":
        return size
    if selection.kind == "period":
        first, last = span(selection, size)
        return last - first + 1
    return queries.how_many(selection.kind, selection.of or "", log=selection.log, size=size)


def span(selection: Selection, size: int) -> tuple[int, int]:
    """The first and last index of a period: every entry of these days lies between them. CannotExport when none."""
    if selection.from_on is None or selection.to_on is None or selection.from_on > selection.to_on:
        raise CannotExport(_("A period has a first and a last day."))
    starts = datetime.combine(selection.from_on, time(), UTC)
    ends = datetime.combine(selection.to_on + timedelta(days=1), time(), UTC)
    found = moments.span(selection.log, starts, ends, size)
    if found is None:
        raise CannotExport(_("The log has no entries of these days."))
    return found


def rows(selection: Selection, size: int) -> list[Row]:
    """The entries of a case or customer, and what the log says of those among them that this product did not write."""
    if selection.kind not in ("case", "customer"):
        raise CannotExport(f"{selection.kind} is no kind of export.")
    of = selection.of or ""
    if selection.kind == "case":
        found = queries.of_matter(of, log=selection.log, size=size)
    else:
        found = queries.of_subject("customer", of, log=selection.log, size=size)
    if not found:
        raise CannotExport(_("The log has no entries of this number."))
    if len(found) > MOST_ENTRIES:
        raise CannotExport(
            str(_("These are more than {most} entries. Export a period, or everything.")).format(most=MOST_ENTRIES)
        )
    said = queries.flags_of([seq for seq, flaw in flagged(found)], log=selection.log, size=size)
    return sorted({row.seq: row for row in (*found, *said)}.values(), key=lambda row: row.seq or 0)


def flagged(found: Sequence[Row]) -> list[tuple[int, str]]:
    """(index, flaw) of what this product did not write."""
    return [(row.seq or 0, row.flag) for row in found if row.flag]
