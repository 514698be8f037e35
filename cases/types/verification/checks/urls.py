"""Addresses of electronic checks, under the engine's."""

from django.urls import path

from cases.types.verification.checks import views

urlpatterns = [
    path("cases/<str:number>/checks/<slug:kind>/", views.order, name="check-order"),
    path("cases/<str:number>/checks/again/<uuid:check_id>/", views.again, name="check-again"),
]
