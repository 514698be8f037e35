"""Where signed messages from outside come in."""

from django.urls import path

from compliance.platform.inbound import views

app_name = "inbound"
urlpatterns = [path("<uuid:sender_id>/", views.receive, name="receive")]
