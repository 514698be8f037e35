"""Addresses of a player's risk, under the engine's."""

from django.urls import path

from cases.types.verification.risk import views

urlpatterns = [
    path("cases/<str:number>/risk/", views.risk, name="risk"),
    path("cases/<str:number>/risk/level/", views.override, name="risk-override"),
    path("cases/<str:number>/risk/facts/<uuid:fact_id>/end/", views.end_fact, name="risk-end-fact"),
    path("reviews/", views.due, name="reviews-due"),
    path("aml/risk/<uuid:customer_id>/", views.inside, name="risk-inside"),
]
