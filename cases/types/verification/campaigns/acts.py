"""The one act here that two persons decide: starting a campaign."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cases.types.verification.campaigns import services, words
from cases.types.verification.campaigns.models import Campaign, may_run
from compliance.proposals import acts


def _load(pk: Any) -> Campaign:
    rows = Campaign.objects.select_for_update(of=("self",)).select_related("licensee")
    return rows.get(pk=pk)


def _visible(user: Any) -> Any:
    return Campaign.objects.visible_to(user).filter(state=Campaign.State.DRAFTED).values_list("pk", flat=True)


acts.register(
    acts.Act(
        name=services.ACT,
        title=_("Start a campaign"),
        run=services.start,
        load=_load,
        digest=services.digest,
        may_propose=may_run,
        may_confirm=may_run,
        visible=_visible,
        need=services.need,
        unmet=services.unmet,
        facts=words.said,
        reason_text=lambda code: words.REASONS.get(code, code),
        consequence=lambda campaign: _(
            "A verification is opened for each of these players, so many a day. They hear of it when something is asked"
            " for. It can be paused at any time."
        ),
        subject_url=lambda campaign: reverse("cases:campaign", args=[campaign.pk]),
    )
)
