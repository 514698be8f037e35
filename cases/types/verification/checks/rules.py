"""What electronic checks say of a case: the newest of each kind, what can be ordered, what stands against an approval.

Against it stands what does not fit, and what the law asks for before any service. Where nobody is set up to answer, two
persons confirm it by hand.
"""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from cases.types.verification.checks import adapters
from cases.types.verification.checks.confirming import BY_HAND
from cases.types.verification.checks.models import Check, Kind, Result
from compliance.rulebook.queries import policy_at


def newest(case: Any) -> list[Check]:
    """The newest check of each kind, in the order of kinds."""
    rows = Check.objects.filter(case_id=case.pk).order_by("kind", "-asked_at")
    return list(rows.distinct("kind"))


def _answered(case: Any) -> list[Check]:
    """The newest answer of each kind: what is asked once more hides nothing until somebody answers."""
    rows = Check.objects.filter(case_id=case.pk, state=Check.State.ANSWERED).order_by("kind", "-said_at", "-asked_at")
    return list(rows.distinct("kind"))


def confirmed(case: Any) -> dict[str, Check]:
    """By kind what a register, a bank or a vendor confirms; what people confirmed is none."""
    return {kind: check for kind, check in _matching(case).items() if BY_HAND not in check.codes}


def _matching(case: Any) -> dict[str, Check]:
    """By kind what is confirmed, while nothing was asked or said after it: a question that is open confirms nothing,
    nor does one that nobody could be asked.
    """
    last_said = {check.kind: check.pk for check in _answered(case)}
    return {
        check.kind: check
        for check in newest(case)
        if check.result == Result.MATCH and last_said[check.kind] == check.pk
    }


def stands_against_approval(case: Any) -> list[str]:
    """What does not fit, and what the law asks for before any service and nobody confirmed, with what to do."""
    lacking = _lacking(case)
    found = {check.kind: check for check in _answered(case)}
    wrong = [kind for kind, check in found.items() if check.result == Result.DIFFERS and kind not in lacking]
    lines = [str(_("Not confirmed: {check}.")).format(check=Kind(kind).label) for kind in (*lacking, *wrong)]
    if by_hand(case):
        lines.append(
            str(_("Nobody is set up to answer this. Two persons confirm it by hand, or an administrator sets it up."))
        )
    return lines


def by_hand(case: Any) -> list[str]:
    """Kinds that stand against an approval because nobody is set up to answer them: people confirm them."""
    return [kind for kind in _lacking(case) if not adapters.is_set_up(kind)]


def cannot_be_confirmed_by_hand(case: Any) -> list[str]:
    """Why not, in words."""
    if case.closed_at is not None or not by_hand(case):
        return [str(_("Nothing has to be confirmed by hand."))]
    return []


def _lacking(case: Any) -> list[str]:
    """Kinds that the law asks for before any service, without an answer that confirms."""
    verification = policy_at(case.policy_version).verification
    rule: Any = verification.before_service if verification.known("before_service") else None
    confirmed = _matching(case)
    return [
        kind
        for kind in (rule.value if rule else ())
        if kind in Kind.values and kind not in confirmed and (settings.CHECKS_COUNT or adapters.is_set_up(kind))
    ]


def can_order(case: Any, *, found: list[Check] | None = None) -> list[tuple[str, Any]]:
    """The checks that somebody is set up to answer, and that are not under way. `found`: the newest, if known."""
    known = newest(case) if found is None else found
    waiting = {check.kind for check in known if check.state == Check.State.ASKED}
    return [(kind.value, kind.label) for kind in Kind if adapters.is_set_up(kind.value) and kind.value not in waiting]
