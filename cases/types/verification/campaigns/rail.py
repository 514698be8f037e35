"""Where who runs campaigns finds them."""

from django.utils.translation import gettext_lazy as _

from cases import rail
from cases.types.verification.campaigns.models import RUN

rail.register(rail.Link("cases:campaigns", _("Campaigns"), lambda user: user.has_perm(RUN), aml=False))
