"""Addresses of what auditors ask for."""

from django.urls import path

from cases.oversight import views

urlpatterns = [
    path("oversight/population/", views.population_list, name="population"),
    path("oversight/delays/", views.delay_list, name="delays"),
    path("oversight/customers/<uuid:customer_id>/", views.file_then, name="file-then"),
]
