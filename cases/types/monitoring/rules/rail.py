"""Where the AML side finds its rules."""

from django.utils.translation import gettext_lazy as _

from cases import rail
from cases.types.monitoring.rules.services import may_view

rail.register(rail.Link("cases:monitoring-rules", _("Monitoring rules"), may_view))
