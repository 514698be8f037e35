"""Addresses of notices, in the namespace of cases."""

from django.urls import path

from cases.notices import views

urlpatterns = [
    path("notices/", views.notices, name="notices"),
    path("notices/bell/", views.bell, name="bell"),
    path("notices/mark/", views.mark, name="mark-notices"),
    path("notices/settings/", views.settings, name="notice-settings"),
    path("notices/settings/<slug:team>/", views.team_settings, name="team-notices"),
]
