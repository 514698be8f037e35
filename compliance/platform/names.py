"""Names for the ids of API keys in the log."""

from collections.abc import Iterable, Mapping

from audit.names import register
from compliance.platform.models import ApiKey


def names_of_keys(ids: Iterable[str]) -> Mapping[str, str]:
    return {str(pk): f"{name} ({prefix})" for pk, name, prefix in _rows(ids)}


def find_keys(text: str) -> Iterable[str]:
    return [str(pk) for pk in ApiKey.objects.filter(prefix=text).values_list("pk", flat=True)]


def _rows(ids: Iterable[str]) -> Iterable[tuple[object, str, str]]:
    return ApiKey.objects.filter(pk__in=list(ids)).values_list("pk", "name", "prefix")


register("key", names_of_keys, find_keys)
