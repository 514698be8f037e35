"""Addresses of exceptional access."""

from django.urls import path

from cases.glass import views

urlpatterns = [
    path("exceptions/", views.openings, name="openings"),
    path("exceptions/open/", views.open_case, name="open-by-exception"),
    path("exceptions/<uuid:opening_id>/", views.opening, name="opening"),
]
