"""Addresses of clocks, in the namespace of cases."""

from django.urls import path

from cases.clocks import views

urlpatterns = [
    path("cases/<str:number>/clocks/", views.why, name="clocks"),
    path("cases/<str:number>/clocks/<uuid:clock_id>/pause/", views.pause, name="pause-clock"),
    path("cases/<str:number>/clocks/<uuid:clock_id>/go-on/", views.go_on, name="clock-goes-on"),
]
