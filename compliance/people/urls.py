"""Addresses of the people who work here."""

from django.urls import path

from compliance.people import views

urlpatterns = [path("", views.profile, name="profile")]
