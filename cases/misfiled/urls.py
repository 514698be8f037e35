"""Addresses of misfiled files, in the namespace of cases."""

from django.urls import path

from cases.misfiled import views

urlpatterns = [path("cases/<str:number>/review/<uuid:evidence_id>/move/", views.move, name="move-file")]
