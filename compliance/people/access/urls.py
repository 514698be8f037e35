"""Addresses under /staff/."""

from django.urls import path

from compliance.people.access import views

app_name = "staff"

urlpatterns = [
    path("", views.people, name="people"),
    path("add/", views.add, name="add"),
    path("roles/", views.roles, name="roles"),
    path("roles/<slug:name>/", views.role, name="role"),
    path("review/", views.review, name="review"),
    path("review/<uuid:membership_id>/keep/", views.keep, name="keep"),
    path("review/<uuid:membership_id>/take/", views.take, name="take"),
    path("<uuid:user_id>/", views.person, name="person"),
    path("<uuid:user_id>/give/", views.give, name="give"),
    path("<uuid:user_id>/close/", views.close, name="close"),
    path("<uuid:user_id>/reopen/", views.reopen, name="reopen"),
    path("<uuid:user_id>/end-sessions/", views.end_sessions, name="end-sessions"),
]
