"""What the log calls a player who acts: the operator's reference of the account, never a name."""

from collections.abc import Iterable, Mapping

from audit import names
from compliance.people.models import Account


def _references(ids: Iterable[str]) -> Mapping[str, str]:
    found = Account.objects.filter(pk__in=list(ids)).values_list("pk", "reference")
    return {str(pk): reference for pk, reference in found}


names.register("player", _references)
