"""The API under /api/v1/. What it is made of is named by string, as in urls.py."""

from django.conf import settings
from django.utils.module_loading import import_string

api = import_string("compliance.platform.openapi.MizanAPI")(
    title="Mizan",
    version="1",
    description="Compliance case management for online gaming operators.",
    urls_namespace="api",
    servers=[{"url": settings.BASE_URL}],
    routers=("compliance.platform.api.router", "cases.api.router", "cases.types.verification.api.router"),
)
