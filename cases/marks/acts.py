"""Lifting a mark opens every case of the player to the team: policy asks two persons."""

import hashlib
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.marks.models import PlayerMark, may_lift
from cases.marks.services import LIFT, LIFT_REASONS, lift, need_of
from cases.models import Case
from cases.permissions import DECIDE
from compliance.proposals import acts


def _load(pk: Any) -> PlayerMark:
    # Not its key: a case that is opened under the mark names it, and we wait for that case's player.
    rows = PlayerMark.objects.select_for_update(of=("self",), no_key=True).select_related(
        "customer__licensee", "set_by"
    )
    found: PlayerMark = rows.get(pk=pk)
    return found


def _unmet(mark: PlayerMark, **inputs: Any) -> list[str]:
    return [str(_("It was lifted already."))] if mark.state != PlayerMark.State.SET else []


def _facts(mark: PlayerMark) -> list[tuple[str | Promise, str | Promise]]:
    return [
        (_("Why it was set"), mark.get_kind_display()),
        (_("Set by"), mark.set_by.name),
        (_("Cases"), ", ".join(mark.closed.order_by("case__number").values_list("case__number", flat=True))),
    ]


def _address(mark: PlayerMark, user: Any) -> str:
    theirs = Case.objects.allowed_to(user, DECIDE).filter(customer_id=mark.customer_id)
    seen = theirs.order_by("-opened_at", "id").first()
    return reverse("cases:restrict", args=[seen.number]) if seen else reverse("proposals:list")


acts.register(
    acts.Act(
        name=LIFT,
        title=_("Lift the player’s mark"),
        run=lift,
        load=_load,
        digest=lambda mark: hashlib.sha256(f"{mark.pk}|{mark.state}".encode()).digest(),
        may_propose=may_lift,
        may_confirm=may_lift,
        visible=lambda user: PlayerMark.objects.decided_by(user).values_list("pk", flat=True),
        need=need_of,
        unmet=_unmet,
        facts=_facts,
        reason_text=lambda code: LIFT_REASONS.get(code, code),
        consequence=lambda mark, **inputs: _("The team sees these cases of the player again."),
        subject_url=lambda mark: reverse("proposals:list"),
        url_for=_address,
    )
)
