"""The law as data: `policy_for` a jurisdiction on a day, `policy_at` a version that a case pinned."""

from compliance.policy.book import policy_at, policy_for
from compliance.policy.errors import PolicyBroken, PolicyMissing, PolicyNotVerified
from compliance.policy.schema import EvidenceRule, Need, Policy

__all__ = [
    "EvidenceRule",
    "Need",
    "Policy",
    "PolicyBroken",
    "PolicyMissing",
    "PolicyNotVerified",
    "policy_at",
    "policy_for",
]
