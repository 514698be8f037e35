"""Addresses of contacts, caller checks and tasks, in the namespace of cases."""

from django.urls import path

from cases.contacts import views

urlpatterns = [
    path("due/", views.due, name="due"),
    path("cases/<str:number>/contacts/", views.log, name="contact"),
    path("cases/<str:number>/contacts/offer/", views.offer_exclusion, name="offer-exclusion"),
    path("cases/<str:number>/caller/", views.start_check, name="caller-start"),
    path("cases/<str:number>/caller/<uuid:check_id>/", views.caller, name="caller"),
    path("cases/<str:number>/tasks/<uuid:task_id>/", views.settle, name="settle"),
]
