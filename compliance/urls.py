"""Where each address goes. Packages above are named by string; every route names its rule (audit/access.py).

`/healthz` and `/readyz` are answered before this, by compliance.health.HealthMiddleware.
"""

from django.urls import include, path
from django.views.i18n import set_language

from audit.access import Rule, rule
from compliance.api import api

handler500 = "compliance.failures.unexpected"

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("language/", rule(Rule.PUBLIC)(set_language), name="set_language"),
    path("api/v1/", api.urls),
    path("approvals/", include("compliance.proposals.urls")),
    path("audit/", include("audit.urls")),
    path("platform/", include("compliance.platform.urls")),
    path("profile/", include("compliance.people.urls")),
    path("", include("cases.urls")),
]
