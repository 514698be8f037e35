"""A withdrawal asks for nothing that could have been asked before."""

from typing import Any

from compliance.policy import Policy

WITHDRAWAL = "withdrawal"


def forbidden_by(policy: Policy) -> str:
    """The id of the rule that forbids it, "" where one allows it; the law of no jurisdiction is taken to allow it."""
    verification = policy.verification
    rule: Any = verification.no_withdrawal_trap if verification.known("no_withdrawal_trap") else None
    if rule is None:
        return "OP.NO_WITHDRAWAL_TRAP"
    return str(rule.id) if rule.value else ""
