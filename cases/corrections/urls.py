"""Addresses of corrections, in the namespace of cases."""

from django.urls import path

from cases.corrections import views

urlpatterns = [path("cases/<str:number>/correct/<slug:of>/<uuid:of_id>/", views.correct, name="correct")]
