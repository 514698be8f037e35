"""Addresses of macros, in the namespace of cases."""

from django.urls import path

from cases.macros import views

urlpatterns = [
    path("macros/", views.macros, name="macros"),
    path("macros/<uuid:macro_id>/drop/", views.drop, name="macro-drop"),
    path("cases/<str:number>/macros/<uuid:macro_id>/", views.use, name="macro-use"),
]
