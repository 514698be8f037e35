"""Addresses of reports to the authority, inside the compartment."""

from django.urls import path

from cases.types.monitoring.reports import views

urlpatterns = [
    path("aml/investigations/<str:number>/reports/new/", views.new, name="aml-report-new"),
    path("aml/reports/<uuid:report_id>/", views.report, name="aml-report"),
    path("aml/reports/<uuid:report_id>/document/", views.take, name="aml-report-document"),
    path("aml/reports/<uuid:report_id>/submit/", views.submit, name="aml-report-submit"),
    path("aml/reports/<uuid:report_id>/<slug:verb>/", views.act, name="aml-report-act"),
]
