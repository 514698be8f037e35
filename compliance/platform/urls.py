from django.urls import path

from compliance.platform import views

app_name = "platform"

urlpatterns = [
    path("counts/", views.daily_counts, name="counts"),
]
