from django.urls import path

from compliance.proposals import views

app_name = "proposals"

urlpatterns = [
    path("", views.approvals, name="list"),
    path("<uuid:proposal_id>/", views.approval, name="detail"),
    path("<uuid:proposal_id>/confirm/", views.confirm, name="confirm"),
    path("<uuid:proposal_id>/send-back/", views.send_back, name="send_back"),
    path("<uuid:proposal_id>/withdraw/", views.withdraw, name="withdraw"),
]
