from django.urls import path

from compliance.proposals import views

app_name = "proposals"

urlpatterns = [
    path("", views.approvals, name="list"),
    path("exports/", views.ask_export, name="export"),
    path("exports/<uuid:request_id>/", views.export_request, name="export_request"),
    path("<uuid:proposal_id>/", views.approval, name="detail"),
    path("<uuid:proposal_id>/confirm/", views.confirm, name="confirm"),
    path("<uuid:proposal_id>/send-back/", views.send_back, name="send_back"),
    path("<uuid:proposal_id>/withdraw/", views.withdraw, name="withdraw"),
    path("<uuid:proposal_id>/checker/", views.name_checker, name="name_checker"),
]
