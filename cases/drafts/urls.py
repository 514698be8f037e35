"""Addresses of drafts, in the namespace of cases."""

from django.urls import path

from cases.drafts import views

urlpatterns = [
    path("drafts/<slug:place>/", views.keep_field, name="draft-of-field"),
    path("cases/<str:number>/drafts/<slug:place>/", views.keep, name="draft"),
]
