from django.urls import path

from compliance.platform.webhooks import views

app_name = "webhooks"

urlpatterns = [
    path("", views.endpoints, name="endpoints"),
    path("new/", views.new, name="new"),
    path("events/", views.events, name="events"),
    path("<uuid:endpoint_id>/", views.endpoint, name="endpoint"),
    path("<uuid:endpoint_id>/change/", views.change, name="change"),
    path("<uuid:endpoint_id>/exchange/", views.exchange, name="exchange"),
    path("<uuid:endpoint_id>/switch/", views.switch, name="switch"),
    path("<uuid:endpoint_id>/test/", views.send_test, name="test"),
    path("<uuid:endpoint_id>/resend/", views.resend_failed, name="resend-failed"),
    path("deliveries/<uuid:delivery_id>/", views.delivery, name="delivery"),
    path("deliveries/<uuid:delivery_id>/resend/", views.resend, name="resend"),
]
