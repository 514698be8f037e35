"""Addresses under /scim/v2/."""

from django.urls import path

from compliance.platform.scim import views

urlpatterns = [
    path("Users", views.users, name="scim-users"),
    path("Users/<uuid:user_id>", views.user, name="scim-user"),
]
