"""Addresses of what every member of staff can reach from every page."""

from django.urls import path

from cases.views import suspicions

urlpatterns = [
    path("suspicions/new/", suspicions.new, name="suspicion-new"),
    path("aml/suspicions/", suspicions.inbox, name="suspicions"),
    path("aml/suspicions/<uuid:report_id>/", suspicions.report, name="suspicion"),
]
