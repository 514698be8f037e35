"""The API under /api/v1/. What it is made of is named by string, as in urls.py."""

from django.conf import settings
from django.utils.module_loading import import_string

api = import_string("compliance.platform.openapi.MizanAPI")(
    title="Mizan",
    version="1",
    description="Compliance case management for online gaming operators.",
    urls_namespace="api",
    servers=[{"url": settings.BASE_URL}],
    routers=(
        "cases.reading.house.api.router",  # with that of compliance.platform.api
        "compliance.platform.log_api.router",
        "compliance.platform.staff_api.router",
        "compliance.platform.webhooks.api.router",
        "cases.reading.players.api.router",  # with those of cases.api and cases.reading.api: one router an address
        "cases.reading.work.api.router",
        "cases.types.verification.api.router",
        "cases.types.gaming.api.router",
        "cases.types.gaming.limits.api.router",
        "cases.types.monitoring.transactions.api.router",
    ),
)
