"""Addresses of campaigns, under the engine's."""

from django.urls import path

from cases.types.verification.campaigns import views

urlpatterns = [
    path("campaigns/", views.campaigns, name="campaigns"),
    path("campaigns/new/", views.new, name="campaign-new"),
    path("campaigns/<uuid:campaign_id>/", views.campaign, name="campaign"),
    path("campaigns/<uuid:campaign_id>/move/", views.move, name="campaign-move"),
]
