from django.urls import path

from compliance.outbox import views

app_name = "outbox"

urlpatterns = [
    path("", views.parked, name="parked"),
    path("<uuid:row_id>/retry/", views.retry, name="retry"),
    path("<uuid:row_id>/drop/", views.drop, name="drop"),
]
