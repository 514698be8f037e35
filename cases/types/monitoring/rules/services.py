"""Life of a rule: written as a draft, tried in the shadow and on the past, made live by two persons, retired."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actors import Acts, system
from audit.perform import ConditionsNotMet, Denied, perform
from audit.record import ObjectRef, record
from cases.patterns import expressions
from cases.types.monitoring.rules.book import does_not_compile
from cases.types.monitoring.rules.models import CHANGE, VIEW, Flag, Rule, Severity, ShadowFlag, State
from cases.types.monitoring.rules.shipped import SHIPPED
from compliance.people.models import User
from compliance.people.permissions import require
from compliance.proposals.models import Proposal
from compliance.proposals.queries import SecondPersonNeeded, require_second_person
from compliance.proposals.services import propose

__all__ = ["Denied", "SecondPersonNeeded"]

ACTIVATE: Final = "monitoring_rules.activate"
LOG: Final = "aml"
FALSE_POSITIVES: Final = ("unfounded", "explained")  # outcomes of investigations that a flag led to for nothing


def may_view(user: Any) -> bool:
    return bool(user.is_active and user.has_perm(VIEW))


def require_viewer(user: Any) -> None:
    """Http404 to everybody outside the AML side: for them there is no such page."""
    if not may_view(user):
        raise Http404("no such page")


@transaction.atomic
def write(
    code: str, *, title: str, severity: str, definition: Mapping[str, Any], by: Acts, shipped: bool = False
) -> Rule:
    """The next version of a rule, as a draft. Raises ValidationError that names what is wrong and where."""
    if not shipped:
        require(by, CHANGE, action="monitoring_rules.write", about=ObjectRef("rule", code))
    expressions.check(definition)
    if why := does_not_compile(definition):
        raise ValidationError({"definition": why})
    if severity not in Severity.values:
        raise ValidationError({"severity": _("One of: %(words)s.") % {"words": ", ".join(Severity.values)}})
    if not title.strip():
        raise ValidationError({"title": _("A rule needs a title.")})
    newest = Rule.objects.select_for_update().filter(code=code).order_by("-number").first()
    digest = expressions.digest(definition)
    if newest is not None and (newest.digest, newest.title, newest.severity) == (digest, title.strip(), severity):
        raise ValidationError({"definition": _("This is what the newest version says already.")})
    rule = Rule.objects.create(
        code=code,
        number=newest.number + 1 if newest else 1,
        title=title.strip(),
        severity=severity,
        definition=definition,
        digest=digest,
        shipped=shipped,
        made_by=by if isinstance(by, User) else None,
    )
    details = {"code": code, "number": rule.number, "digest": digest}
    record("monitoring_rules.ship" if shipped else "monitoring_rules.write", by=by, about=rule, details=details)
    return rule


def ship() -> list[Rule]:
    """Bring the product's own rules that are not there yet, as drafts. Changed ones stay as they are."""
    known = set(Rule.objects.values_list("code", flat=True))
    return [
        write(code, title=title, severity=severity, definition=definition, by=system(), shipped=True)
        for code, title, severity, definition in SHIPPED
        if code not in known
    ]


@transaction.atomic
def put_in_shadow(rule: Rule, *, by: Acts) -> Rule:
    """Ask it of every transaction without flagging anybody. The version that was in the shadow is retired."""
    if why := does_not_compile(rule.definition):
        raise ConditionsNotMet([why])
    for other in Rule.objects.filter(code=rule.code, state=State.SHADOW).exclude(pk=rule.pk):
        retire(other, by=by)
    moved: Rule = perform(rule.shadow, by=by, details=_facts(rule))
    return moved


def propose_activation(rule: Rule, *, by: User, reason: str, note: str) -> Proposal:
    """Ask a second person of the AML side. Raises what `proposals.propose` raises."""
    return propose(ACTIVATE, rule, by=by, reason=reason, note=note)


@transaction.atomic
def activate(rule: Rule, *, by: Acts, reason: str | None = None, proposal: str | None = None, maker: str = "") -> Rule:
    """Raise flags from the next transaction on. The version that was live is retired. Raises SecondPersonNeeded."""
    require_second_person(ACTIVATE, rule, proposal=proposal)
    for other in Rule.objects.filter(code=rule.code, state=State.LIVE).exclude(pk=rule.pk):
        retire(other, by=by)
    details = {**_facts(rule), "proposal": str(proposal or ""), "maker": maker}
    moved: Rule = perform(rule.activate, by=by, reason=reason, at=timezone.now(), details=details)
    return moved


@transaction.atomic
def retire(rule: Rule, *, by: Acts) -> Rule:
    """Ask it no more. Its flags stay; what it would have flagged in the shadow goes."""
    moved: Rule = perform(rule.retire, by=by, at=timezone.now(), details=_facts(rule))
    ShadowFlag.objects.filter(rule=rule).delete()
    return moved


def _facts(rule: Rule) -> dict[str, Any]:
    return {"code": rule.code, "number": rule.number, "digest": rule.digest}


def record_look(rules: Sequence[Rule], *, by: Acts) -> None:
    """Looking at the rules is an entry of the AML side's log, once for each page."""
    with transaction.atomic():
        about = ObjectRef("list", "monitoring_rules")
        record("monitoring_rules.read", by=by, about=about, details={"rows": len(rules)}, log=LOG)


def rates(*, days: int = 90) -> dict[str, dict[str, int]]:
    """Flags by rule's code: raised, closed and false in the last `days`, and what the shadow would have raised."""
    since = timezone.now() - timedelta(days=days)
    rows = (
        Flag.objects.filter(flagged_at__gte=since)
        .values("code")
        .annotate(
            raised=Count("pk"),
            closed=Count("pk", filter=Q(closed_at__isnull=False)),
            false=Count("pk", filter=Q(outcome__in=FALSE_POSITIVES)),
        )
    )
    found = {row["code"]: {name: row[name] for name in ("raised", "closed", "false")} for row in rows}
    shadows = ShadowFlag.objects.filter(flagged_at__gte=since).values("code").annotate(shadow=Count("pk"))
    for row in shadows:
        found.setdefault(row["code"], dict.fromkeys(("raised", "closed", "false"), 0))["shadow"] = row["shadow"]
    return found


def newest_version(code: str) -> Rule:
    """Raises Http404."""
    rule = Rule.objects.filter(code=code).order_by("-number").first()
    if rule is None:
        raise Http404("no such rule")
    return rule


def unmet_for_activation(rule: Rule) -> list[str]:
    if rule.state not in (State.DRAFT, State.SHADOW):
        return [_("This version is live or retired.")]
    return [why] if (why := does_not_compile(rule.definition)) else []
