"""What the engine needs to know about requests about play."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases import kinds, texts
from cases.models import Case
from cases.permissions import DECIDE, WORK, may
from cases.types.gaming import acts, services
from cases.types.gaming.models import KIND, Asks, GamingRequest, State
from compliance.people.services import masked
from compliance.proposals.queries import open_proposal


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what is known of the player; `field` can be shown on request, and the showing is recorded."""

    label: str | Promise
    value: str
    field: str = ""
    key: str = ""


def facts(case: Case) -> list[Fact]:
    customer, account = case.customer, case.account
    return [
        Fact(_("Name"), customer.full_name, key="full_name"),
        Fact(_("Date of birth"), masked(customer, "birth_date"), "birth_date"),
        Fact(_("Phone"), masked(account, "phone"), "phone"),
        Fact(_("E-mail"), masked(account, "email"), "email"),
    ]


def steps(case: GamingRequest, user: Any) -> list[kinds.Step]:
    """What the user may do next. The exclusion is in force whatever is done here."""
    if not may(user, WORK, case):
        return []
    found = []
    if case.state == State.OPEN:
        found.append(_step(case, "gaming-review", _("Look after it"), post=True, primary=True))
    if case.state != State.CLOSED:
        if services.may_read_care(user):
            found.append(_step(case, "gaming-interaction", _("Note an interaction"), primary=case.state != State.OPEN))
        if not case.unmet("settle"):
            found.append(_step(case, "gaming-settle", _("Close the request"), post=True, primary=False))
    if case.gaming_facts.asks == Asks.CARE:
        return found
    exclusion = case.exclusion
    if acts.unmet_marketing(exclusion) == [] and open_proposal(exclusion) is None:
        found.append(
            _step(case, "gaming-propose", _("The player asks for marketing again"), act="marketing", rare=True)
        )
    if exclusion.is_live and open_proposal(exclusion) is None:
        if exclusion.state == "return_requested" and may(user, WORK, case):
            found.append(_step(case, "gaming-propose", _("Propose to accept the return"), act="accept"))
            if may(user, DECIDE, case):
                found.append(_step(case, "gaming-refuse", _("Refuse the return"), rare=True))
        if exclusion.state in ("active", "persisting"):
            found.append(_step(case, "gaming-return", _("The player asks to return"), rare=True))
        if exclusion.state == "cooling":
            found.append(_step(case, "gaming-confirm", _("The player confirms the return"), rare=True))
        found.append(_step(case, "gaming-propose", _("Propose to annul: wrong person"), act="annul", rare=True))
    return found


def _step(
    case: GamingRequest,
    route: str,
    label: str | Promise,
    *,
    post: bool = False,
    primary: bool = False,
    rare: bool = False,
    **at: Any,
) -> kinds.Step:
    url = reverse(f"cases:{route}", kwargs={"number": case.number, **at})
    return kinds.Step(url, label, post=post, primary=primary, rare=rare)


def told(case: GamingRequest, purpose: str, code: str) -> texts.Text:
    return texts.player_text(code, case.account.language, number=case.number)


kinds.register(
    kinds.Kind(
        name=KIND,
        title=_("Play protection"),
        prefix="GAM",
        model=GamingRequest,
        steps=steps,
        checks=lambda case: [],
        offers=lambda case: [],
        facts=facts,
        arrived=lambda case, evidence, by: None,
        told=told,
        panel="gaming/_panel.html",
        new_url="cases:gaming-new",
        new_label=_("Keep a player out"),
    )
)
