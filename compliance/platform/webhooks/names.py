"""Names for the ids of endpoints in the log."""

from collections.abc import Iterable, Mapping

from audit.names import register
from compliance.platform.webhooks.models import Endpoint


def names_of_endpoints(ids: Iterable[str]) -> Mapping[str, str]:
    return {str(pk): name for pk, name in Endpoint.objects.filter(pk__in=list(ids)).values_list("pk", "name")}


def find_endpoints(text: str) -> Iterable[str]:
    return [str(pk) for pk in Endpoint.objects.filter(name=text).values_list("pk", flat=True)]


register("endpoint", names_of_endpoints, find_endpoints)
