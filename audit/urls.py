from django.urls import path

from audit import views

app_name = "audit"

urlpatterns = [
    path("", views.entries, name="entries"),
    path("export/", views.export, name="export"),
    path("<str:log>/<int:seq>/", views.entry, name="entry"),
]
