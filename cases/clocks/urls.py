"""Addresses of clocks, in the namespace of cases."""

from django.urls import path

from cases.clocks import views

urlpatterns = [path("cases/<str:number>/clocks/", views.why, name="clocks")]
