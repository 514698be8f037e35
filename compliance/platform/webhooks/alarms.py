"""What somebody must look at: an endpoint that no person switched off and that gets nothing any more."""

from compliance.platform.webhooks.models import Endpoint


class GaveUp(Exception):
    """The text is for the log, never for outsiders."""


def ensure_no_endpoint_gave_up() -> None:
    """No endpoint is off because its receiver failed for days or said that it is gone. One that staff switched off is
    no alarm: who looked and wants it so says it by switching it off.
    """
    off = Endpoint.objects.exclude(disabled_at=None).exclude(disabled_because=Endpoint.Because.STAFF)
    if found := [str(pk) for pk in off.order_by("disabled_at").values_list("pk", flat=True)[:10]]:
        raise GaveUp(f"endpoints that switched themselves off: {', '.join(found)}")
