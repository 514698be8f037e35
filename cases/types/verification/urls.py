"""Addresses of a verification, under the engine's."""

from django.urls import path

from cases.types.verification import views

urlpatterns = [
    path("cases/new/verification/", views.new, name="verification-new"),
    path("cases/new/verification/known/", views.known, name="verification-known"),
    path("cases/<str:number>/start/", views.start, name="verification-start"),
    path("cases/<str:number>/ask/", views.ask, name="verification-ask"),
    path("cases/<str:number>/same/", views.same_person, name="same"),
    path("cases/<str:number>/funds/", views.settle_funds, name="verification-funds"),
    path("cases/<str:number>/decide/<slug:act>/", views.decide, name="verification-decide"),
]
