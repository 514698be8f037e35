"""Addresses under /accounts/directory/."""

from django.urls import path

from compliance.people.access.oidc import views

urlpatterns = [
    path("", views.start, name="directory-start"),
    path("confirm/", views.confirm, name="directory-confirm"),
    path("back/", views.back, name="directory-back"),
    path("out/", views.out, name="directory-out"),
]
