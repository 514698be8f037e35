"""Addresses of the lists of tags, in the namespace of cases."""

from django.urls import path

from cases.tags import views

urlpatterns = [
    path("tags/", views.tags, name="tags"),
    path("tags/new/", views.make, name="tag-new"),
    path("tags/<uuid:tag_id>/", views.change, name="tag-change"),
]
