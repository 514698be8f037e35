"""Addresses of the log's pages."""

app_name = "audit"
urlpatterns: list = []
