"""A campaign's choice in words."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.types.verification.campaigns.choosing import Choice
from cases.types.verification.campaigns.models import Campaign
from compliance import formats
from compliance.people.models import Risk

REASONS: dict[str, Promise] = {
    "regulator": gettext_lazy("The regulator asked"),
    "law": gettext_lazy("The law changes"),
    "risk": gettext_lazy("Own assessment of the risk"),
    "records": gettext_lazy("Records are old or incomplete"),
}


def said(campaign: Campaign) -> list[tuple[str, str]]:
    """Label and value of everything that was chosen."""
    choice = Choice.loaded(campaign.choice)
    lines = [
        (_("Licensee"), campaign.licensee.name),
        (_("Levels"), formats.listed(list(choice.levels)) if choice.levels else _("all")),
        (_("Risk"), _risks(choice) if choice.risks else _("all")),
    ]
    if choice.verified_before:
        lines.append((_("Last verified before"), formats.day(choice.verified_before)))
    if choice.papers_until:
        lines.append((_("A paper is good until, at the latest"), formats.day(choice.papers_until)))
    lines.append((_("To which level"), campaign.level or _("the one that each has")))
    lines.append((_("Players"), formats.number(campaign.total)))
    return [*lines, (_("A day, at most"), formats.number(campaign.per_day))]


def _risks(choice: Choice) -> str:
    names: dict[str, Any] = dict(Risk.choices)
    return formats.listed([str(names[one]) for one in choice.risks])
