"""Addresses of what every member of staff can reach from every page."""

from django.urls import include, path

from cases.views import suspicions

urlpatterns = [
    path("", include("cases.clocks.urls")),
    path("", include("cases.contacts.urls")),
    path("", include("cases.drafts.urls")),
    path("", include("cases.mail.urls")),
    path("", include("cases.misfiled.urls")),
    path("", include("cases.notices.urls")),
    path("suspicions/new/", suspicions.new, name="suspicion-new"),
    path("aml/suspicions/", suspicions.inbox, name="suspicions"),
    path("aml/suspicions/<uuid:report_id>/", suspicions.report, name="suspicion"),
]
