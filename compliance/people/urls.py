"""Addresses of the people who work here."""

from django.urls import path

from compliance.people import views
from compliance.people.duty import views as duty

urlpatterns = [
    path("", views.profile, name="profile"),
    path("keys/", views.own_keys, name="keys"),
    path("duty/", duty.duty, name="duty"),
    path("duty/shift/", duty.shift, name="duty-shift"),
    path("duty/absences/<uuid:absence_id>/end/", duty.back, name="duty-back"),
    path("sessions/", views.own_sessions, name="sessions"),
    path("sessions/end/", views.end_own_sessions, name="sessions-end"),
]
