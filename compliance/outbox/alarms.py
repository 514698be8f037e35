"""What somebody must look at: what was given up and waits for a person."""

from compliance.outbox.models import OutboxRow


class GivenUp(Exception):
    """The text is for the log, never for outsiders."""


def ensure_nothing_parked() -> None:
    """Nothing was given up that nobody had tried again or dropped since."""
    kinds = OutboxRow.objects.parked().order_by("kind").values_list("kind", flat=True).distinct()
    if found := list(kinds[:10]):
        raise GivenUp(f"rows of {', '.join(found)} were given up: manage.py outbox list names them")
