from django.urls import path

from compliance.platform.apikeys import views

app_name = "keys"

urlpatterns = [
    path("", views.every_key, name="all"),
    path("new/", views.new, name="new"),
    path("asked/<uuid:asked_id>/", views.asked, name="asked"),
    path("<uuid:key_id>/", views.one_key, name="key"),
    path("<uuid:key_id>/replace/", views.replace, name="replace"),
    path("<uuid:key_id>/revoke/", views.revoke, name="revoke"),
]
