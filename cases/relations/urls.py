"""Addresses of links and merges, in the namespace of cases."""

from django.urls import path

from cases.relations import views

urlpatterns = [
    path("cases/<str:number>/links/", views.add_link, name="link"),
    path("cases/<str:number>/links/<uuid:link_id>/drop/", views.drop_link, name="unlink"),
    path("cases/<str:number>/merge/<str:into>/", views.merge, name="merge"),
    path("cases/<str:number>/unmerge/", views.unmerge, name="unmerge"),
]
