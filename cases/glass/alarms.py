"""What somebody must look at: an exceptional access that nobody reviewed in time."""

from cases.glass.services import overdue


class NotInOrder(Exception):
    """The text is for the log, never for outsiders."""


def ensure_reviewed() -> None:
    if count := overdue().count():
        raise NotInOrder(f"{count} exceptional accesses wait for a review longer than the rules allow: /exceptions/")
