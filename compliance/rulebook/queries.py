"""Which rules hold for a licensee on a day, and which a case pinned."""

from datetime import date
from functools import lru_cache

from django.db import connection
from django.http import Http404

from compliance import policy
from compliance.people.models import Licensee
from compliance.policy import Policy, PolicyMissing
from compliance.policy.book import book
from compliance.rulebook.changes import MARK, with_values
from compliance.rulebook.models import RuleSet, State

# The code of `in_force`, written out: it is asked at every check of a limit, where building the query is dear.
_CHOSEN = """
SELECT code FROM rulebook_ruleset WHERE licensee_id = %s AND state = 'approved' AND effective_from <= %s
 ORDER BY effective_from DESC, decided_at DESC LIMIT 1
"""


def policy_of(licensee: Licensee, *, on: date) -> Policy:
    """The law on the licensee's day `on`, with what this licensee chose on top. One query. PolicyMissing when none."""
    law = policy.policy_for(licensee.jurisdiction, on=on)
    with connection.cursor() as cursor:
        cursor.execute(_CHOSEN, [licensee.pk, on])
        chosen = cursor.fetchone()
    return _laid(law.version, chosen[0]) if chosen else law


def policy_at(version: str) -> Policy:
    """The policy that a case pinned: "TR-2026-02-01", "MT-2026-01-01+EU-2026-01-01", "GB-2026-06-30~1f3a9c2e"."""
    law, mark, code = version.partition(MARK)
    return _laid(law, code) if mark else policy.policy_at(law)


def in_force(licensee: Licensee, *, on: date) -> RuleSet | None:
    """The licensee's own set on a day: the last that has begun; of two from one day, the one decided later."""
    approved = RuleSet.objects.filter(licensee=licensee, state=State.APPROVED, effective_from__lte=on)
    found: RuleSet | None = approved.order_by("-effective_from", "-decided_at").first()
    return found


def days_of_change(licensee: Licensee) -> list[date]:
    """The days on which other rules begin for a licensee, the oldest first: of the law's files, and of its own sets."""
    versions = book().by_jurisdiction
    own = versions.get(licensee.jurisdiction, ())
    unions = {union for each in own for union in each.also}
    days = {each.effective_from for name in (licensee.jurisdiction, *unions) for each in versions.get(name, ())}
    approved = RuleSet.objects.filter(licensee=licensee, state=State.APPROVED)
    days |= set(approved.values_list("effective_from", flat=True))
    return sorted(day for day in days if own and day >= own[0].effective_from)


def before(rule_set: RuleSet) -> RuleSet | None:
    """The set that would hold on the first day of this one without it."""
    others = RuleSet.objects.filter(
        licensee=rule_set.licensee, state=State.APPROVED, effective_from__lte=rule_set.effective_from
    ).exclude(pk=rule_set.pk)
    if rule_set.state == State.APPROVED:
        others = others.filter(decided_at__lt=rule_set.decided_at)
    found: RuleSet | None = others.order_by("-effective_from", "-decided_at").first()
    return found


def get_set(code: str) -> RuleSet:
    found: RuleSet | None = RuleSet.objects.select_related("licensee", "made_by").filter(code=code).first()
    if found is None:
        raise Http404("no such set of rules")
    return found


@lru_cache(maxsize=256)
def _laid(law: str, code: str) -> Policy:
    """An approved set never changes, so the outcome may be kept for as long as the process lives."""
    found = RuleSet.objects.filter(code=code, state=State.APPROVED).values_list("values", flat=True).first()
    if found is None:
        raise PolicyMissing(f"No set of rules {code!r} was approved.")
    return with_values(policy.policy_at(law), found, code=code)
