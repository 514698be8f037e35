"""What two persons of the compartment decide together. Its proposals stand in the AML log and under /aml/ only."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.types.monitoring import freezes, services
from cases.types.monitoring.models import Freeze, Investigation, Outcome, State
from cases.types.monitoring.permissions import DECIDE, INVESTIGATE, may, may_decide, may_work
from compliance import formats
from compliance.policy.schema import Need
from compliance.proposals import acts
from compliance.proposals.queries import require_second_person

END, LIFT = "monitoring.end", freezes.LIFT
REASONS: Final[Mapping[str, Mapping[str, str | Promise]]] = {
    Outcome.UNFOUNDED: {
        "false_positive": gettext_lazy("The rule fired on something ordinary"),
        "wrong_player": gettext_lazy("It was about another player"),
        "mistaken": gettext_lazy("What was seen turned out to be otherwise"),
    },
    Outcome.EXPLAINED: {
        "source_shown": gettext_lazy("The source of the money was shown and fits"),
        "pattern_explained": gettext_lazy("The pattern has an ordinary explanation that was checked"),
    },
    Outcome.MONITORED: {
        "below_suspicion": gettext_lazy("Unusual, but no suspicion; looked at again later"),
        "too_little": gettext_lazy("Too little is known to suspect"),
    },
    Outcome.REPORTED: {"filed": gettext_lazy("The authority has the report")},
    Outcome.RELATIONSHIP_ENDED: {
        "risk_not_borne": gettext_lazy("The risk is not one that we carry"),
        "duties_not_met": gettext_lazy("What the law asks of us could not be done"),
    },
}
LIFT_REASONS: Final[Mapping[str, str | Promise]] = {
    "cleared": gettext_lazy("Nothing speaks for holding it any more"),
    "authority_agreed": gettext_lazy("The authority agreed, or its time is over"),
    "mistaken": gettext_lazy("It was set by mistake or on the wrong player"),
}


def reason_text(code: str) -> str | Promise:
    return next((words[code] for words in (*REASONS.values(), LIFT_REASONS) if code in words), code)


def missing_to_end(investigation: Investigation, outcome: str = "", words: str = "", **more: Any) -> list[str]:
    """Why it cannot end this way now, in words."""
    missing = []
    if investigation.state not in (State.WITH_MLRO, State.POST_REPORT):
        missing.append(_("The reporting officer decides first: hand it over."))
    if outcome not in Outcome.values:
        missing.append(_("Choose an outcome."))
    reported = any(ask(investigation) for ask in REPORTED)
    if outcome == Outcome.REPORTED and not reported:
        missing.append(_("No report was filed."))
    if reported and outcome in (Outcome.UNFOUNDED, Outcome.EXPLAINED, Outcome.MONITORED):
        missing.append(_("It was reported: that is how it ended."))
    if outcome in (Outcome.UNFOUNDED, Outcome.EXPLAINED, Outcome.MONITORED) and freezes.standing_in(investigation):
        missing.append(_("Withdrawals are frozen: lift that first."))
    if len(words.strip()) < 20:
        missing.append(_("Say in your own words why: it is kept, above all why nothing is reported."))
    return missing


# Whether a report of it reached the authority: asked of who keeps reports, which stands above.
REPORTED: list[Callable[[Investigation], bool]] = []


def _end(investigation: Investigation, *, by: Any, reason: str, proposal: str, maker: str, **inputs: Any) -> Any:
    require_second_person(END, investigation, proposal=proposal, **inputs)
    return services.end(investigation, by=by, reason=reason, proposal=proposal, maker=maker, **inputs)


def _facts(investigation: Investigation) -> Sequence[tuple[str | Promise, str | Promise]]:
    judged = investigation.hypotheses.exclude(verdict="open").count()
    return [
        (_("Investigation"), investigation.number),
        (_("Suspected since"), formats.full_moment(investigation.suspicion_at) if investigation.suspicion_at else "–"),
        (_("Leads"), str(investigation.leads.count())),
        (_("Explanations looked into"), f"{judged} / {investigation.hypotheses.count()}"),
        (_("Evidence"), str(investigation.exhibits.filter(taken_out_at=None).count())),
    ]


def _two(name: str, why: str | Promise, subject: Any, **inputs: Any) -> Need:
    return Need(True, str(why), name, "")


def _page(number: str) -> str:
    return reverse("cases:aml-investigation", args=[number])


def _visible_freezes(user: Any) -> Any:
    if not may(user, DECIDE):
        return Freeze.objects.none().values_list("pk", flat=True)
    mine = Investigation.objects.visible_to(user).values("customer_id")
    return Freeze.objects.filter(customer_id__in=mine).values_list("pk", flat=True)


def _visible(user: Any) -> Any:
    mine = Investigation.objects.visible_to(user) if may(user, DECIDE) else Investigation.objects.none()
    return mine.values_list("pk", flat=True)


def _load(pk: Any) -> Investigation:
    rows = Investigation.objects.select_for_update(of=("self",)).select_related("customer", "licensee")
    return rows.get(pk=pk)


acts.register(
    acts.Act(
        name=END,
        title=gettext_lazy("Close the investigation"),
        run=_end,
        load=_load,
        digest=services.evidence_digest,
        may_propose=may_work,
        may_confirm=may_decide,
        sees=lambda subject, user: Investigation.objects.visible_to(user).filter(pk=subject.pk).exists(),
        visible=_visible,
        need=partial(_two, END, gettext_lazy("That nothing more is done is decided by two.")),
        unmet=missing_to_end,
        facts=_facts,
        reason_text=reason_text,
        consequence=lambda subject, outcome, words="": (
            _("It is closed as: %(outcome)s. The reasons are kept.") % {"outcome": Outcome(outcome).label}
        ),
        subject_url=lambda subject: _page(subject.number),
        sealed=frozenset({"words"}),
        log=lambda subject: "aml",
    ),
    acts.Act(
        name=LIFT,
        title=gettext_lazy("Lift the freeze"),
        run=freezes.lift,
        load=freezes.load,
        digest=freezes.digest,
        may_propose=may_work,
        may_confirm=may_decide,
        sees=lambda subject, user: may(user, INVESTIGATE, subject.customer_id),
        visible=_visible_freezes,
        need=partial(_two, LIFT, gettext_lazy("Money is let go by two persons only.")),
        unmet=lambda freeze: [_("It was lifted already.")] if freeze.lifted_at else [],
        facts=lambda freeze: [
            (_("Investigation"), freeze.investigation.number),
            (_("Frozen since"), formats.full_moment(freeze.placed_at)),
            (_("Frozen by"), freeze.placed_by.name if freeze.placed_by else _("A rule")),
        ],
        reason_text=reason_text,
        consequence=lambda freeze: _(
            "The player can withdraw again soon: no earlier than after the shortest routine hold."
        ),
        subject_url=lambda freeze: _page(freeze.investigation.number),
        log=lambda freeze: "aml",
    ),
)
