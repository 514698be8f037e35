"""What the decision panel asks about a verification."""

from typing import Any

from django.template import Library

from cases import same
from cases.clocks.models import Clock, Kind
from cases.permissions import WORK, may
from cases.types.verification import endings, funds, objecting, requirements
from cases.types.verification.checks import rules as checks
from cases.types.verification.models import Outcome
from cases.types.verification.rules import standing, what_is_missing, when_late
from cases.types.verification.services import needs_two
from compliance.people.sameness.services import links_of
from compliance.rulebook.labels import words_of

register = Library()


@register.simple_tag
def missing_of(case: Any) -> list[str]:
    return what_is_missing(case)


@register.simple_tag
def answer_due_of(case: Any) -> Any:
    """Until when the player may answer; None while nothing is waited for."""
    return case.verification_facts.answer_due_at if case.state == "waiting" else None


@register.simple_tag
def follows_by_law(case: Any) -> list[str]:
    """What the product does by itself when the law's time passes, in words; [] where no such time runs."""
    follows = when_late(case) if case.closed_at is None else ()
    running = follows and Clock.objects.filter(case_id=case.pk, kind=Kind.STATUTORY, stopped_at=None).exists()
    return [words_of(one) for one in follows] if running else []


@register.simple_tag
def object_until_of(case: Any) -> Any:
    """Until when the player may object to a refusal; None where nothing was refused."""
    return objecting.until(case) if case.outcome == Outcome.REJECTED else None


@register.simple_tag
def script_of(case: Any) -> Any:
    return endings.script_of(case)


@register.simple_tag
def need_of(case: Any, act: str) -> Any:
    return needs_two(case, act)


@register.simple_tag
def standing_of_verdicts(case: Any) -> str:
    """What the verdicts ask for; "" where nothing is to be decided now."""
    return standing(case) if case.state == "in_review" else ""


@register.simple_tag
def requirements_of(case: Any) -> Any:
    return requirements.shown(case)


@register.simple_tag
def funds_of(case: Any) -> Any:
    """The decision on the balance with its words; None where none is due."""
    found = funds.of(case) if case.closed_at else None
    if found is not None:
        found.words = endings.FUNDS_WORDS.get(found.decision, "")  # type: ignore[attr-defined]
    return found


@register.simple_tag
def checks_of(case: Any, user: Any) -> dict[str, Any]:
    """The newest electronic check of each kind, and what this person can order."""
    may_work = case.closed_at is None and may(user, WORK, case)
    found = checks.newest(case)
    return {
        "found": found,
        "offered": checks.can_order(case, found=found) if may_work else [],
        "may_work": may_work,
    }


@register.simple_tag
def alike_of(case: Any) -> list[Any]:
    """Players who agree with this one in something and were not dismissed, with what they agree in."""
    rows = links_of(case.customer).filter(state__in=["found", "linked"])
    return [(link, same.words(link.agrees_in)) for link in rows]
