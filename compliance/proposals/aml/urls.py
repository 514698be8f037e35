"""The same pages for the proposals of the AML side, under /aml/: only those of its log, only for its people."""

from django.urls import path

from compliance.proposals import views

app_name = "aml-proposals"
AML = {"log": "aml"}

urlpatterns = [
    path("", views.approvals, AML, name="list"),
    path("exports/<uuid:request_id>/", views.aml_export_request, name="export_request"),
    path("<uuid:proposal_id>/", views.approval, AML, name="detail"),
    path("<uuid:proposal_id>/confirm/", views.confirm, AML, name="confirm"),
    path("<uuid:proposal_id>/send-back/", views.send_back, AML, name="send_back"),
    path("<uuid:proposal_id>/withdraw/", views.withdraw, AML, name="withdraw"),
    path("<uuid:proposal_id>/checker/", views.name_checker, AML, name="name_checker"),
]
