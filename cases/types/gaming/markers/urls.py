"""Addresses of acts that wait for a look, under the engine's."""

from django.urls import path

from cases.types.gaming.markers import views

urlpatterns = [
    path("care/reviews/", views.waiting, name="care-reviews"),
    path("care/reviews/<uuid:action_id>/", views.review, name="care-review"),
]
