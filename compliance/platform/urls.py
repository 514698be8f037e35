from django.urls import include, path

from compliance.platform import views

app_name = "platform"

urlpatterns = [
    path("webhooks/", include("compliance.platform.webhooks.urls")),
    path("keys/", include("compliance.platform.apikeys.urls")),
    path("api/", views.api, name="api"),
    path("counts/", views.daily_counts, name="counts"),
]
