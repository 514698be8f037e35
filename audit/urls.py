from django.urls import path

from audit.views import entry, explorer, exports

app_name = "audit"

urlpatterns = [
    path("", explorer.entries, name="entries"),
    path("keep/", explorer.keep, name="keep"),
    path("keep/<uuid:query_id>/forget/", explorer.forget, name="forget"),
    path("readers/", explorer.readers, name="readers"),
    path("check/", explorer.check_range, name="check_range"),
    path("export/", exports.export, name="export"),
    path("<str:log>/<int:seq>/", entry.entry, name="entry"),
    path("<str:log>/<int:seq>/proof/", entry.proof, name="proof"),
    path("<str:log>/continues/", entry.continues, name="continues"),
    path("<str:log>/<int:seq>/data/", entry.data, name="data"),
]
