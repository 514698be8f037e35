"""Where the compartment's people find it."""

from django.utils.translation import gettext_lazy as _

from cases import rail
from cases.types.monitoring.permissions import INVESTIGATE, may
from cases.types.monitoring.worklist import waiting_count

rail.register(
    rail.Link("cases:aml", _("Investigations"), lambda user: may(user, INVESTIGATE), waiting_count),
)
