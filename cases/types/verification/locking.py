"""A verification under lock. A case is locked before its player, never after."""

from cases.models import Case
from cases.types.verification.models import Verification


def locked(case: Case) -> Verification:
    rows = Verification.objects.select_for_update(of=("self",)).select_related("customer", "account", "licensee")
    return rows.get(pk=case.pk)  # type: ignore[no-any-return]
