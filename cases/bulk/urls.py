"""Addresses of acts on many cases, in the namespace of cases. They stand before the addresses of single cases."""

from django.urls import path

from cases.bulk import views

urlpatterns = [
    path("bulk/", views.ask, name="bulk"),
    path("bulk/<uuid:batch_id>/", views.batch, name="batch"),
    path("bulk/<uuid:batch_id>/run/", views.run, name="batch-run"),
    path("bulk/<uuid:batch_id>/cancel/", views.cancel, name="batch-cancel"),
    path("bulk/<uuid:batch_id>/progress/", views.progress, name="batch-progress"),
    path("bulk/<uuid:batch_id>/result.csv", views.result, name="batch-result"),
]
