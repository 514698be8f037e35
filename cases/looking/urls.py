"""Addresses of looking at players."""

from django.urls import path

from cases.looking import views

urlpatterns = [
    path("cases/<str:number>/why/", views.say_why, name="say-why"),
    path("looking/", views.looking, name="looking"),
    path("looking/<uuid:fact_id>/settle/", views.settle, name="looking-settle"),
    path("looking/who/", views.lookers, name="lookers"),
]
