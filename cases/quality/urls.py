"""Addresses of second looks."""

from django.urls import path

from cases.quality import views

urlpatterns = [
    path("quality/", views.looks, name="looks"),
    path("quality/take/", views.take, name="look-take"),
    path("quality/<uuid:look_id>/", views.look, name="look"),
    path("quality/<uuid:look_id>/give-back/", views.give_back, name="look-give-back"),
    path("quality/<uuid:look_id>/conflict/", views.conflict, name="look-conflict"),
    path("quality/<uuid:look_id>/settle/", views.settle, name="look-settle"),
    path("quality/<uuid:look_id>/files/<uuid:evidence_id>/<int:page>/", views.image, name="look-image"),
]
