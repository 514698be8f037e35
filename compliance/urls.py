"""Where each address goes. Packages above are named by string; every route names its rule (audit/access.py).

`/healthz` and `/readyz` are answered before this, by compliance.health.HealthMiddleware.
"""

from django.urls import include, path
from django.views.i18n import set_language

from audit.access import Rule, rule
from compliance import wellknown
from compliance.api import api

handler500 = "compliance.failures.unexpected"

urlpatterns = [
    path(".well-known/security.txt", wellknown.security_txt, name="security_txt"),
    path("csp-report/", wellknown.csp_report, name="csp_report"),
    path("accounts/directory/", include("compliance.people.access.oidc.urls")),
    path("accounts/", include("allauth.urls")),
    path("language/", rule(Rule.PUBLIC)(set_language), name="set_language"),
    path("api/v1/", api.urls),
    path("aml/approvals/", include("compliance.proposals.aml.urls")),
    path("approvals/", include("compliance.proposals.urls")),
    path("audit/", include("audit.urls")),
    path("inbound/", include("compliance.platform.inbound.urls")),
    path("outbox/", include("compliance.outbox.urls")),
    path("platform/", include("compliance.platform.urls")),
    path("profile/", include("compliance.people.urls")),
    path("rules/", include("compliance.rulebook.urls")),
    path("scim/v2/", include("compliance.platform.scim.urls")),
    path("staff/", include("compliance.people.access.urls")),
    path("", include("cases.urls")),
]
