"""Addresses of the engine. Each kind's own addresses come from its folder, found like its app."""

from django.apps import apps
from django.urls import include, path

from cases.views import conflicts, lists, matter, protection, review, saved

app_name = "cases"
urlpatterns = [
    path("", lists.home, name="home"),
    path("cases/", lists.queue, name="queue"),
    path("cases/next/", lists.take, name="take"),
    path("cases/views/", saved.save, name="save-view"),
    path("cases/views/<uuid:view_id>/drop/", saved.drop, name="drop-view"),
    path("search/", lists.find, name="search"),
    *[
        path("", include(f"{config.name}.urls"))
        for config in apps.get_app_configs()
        if config.name.startswith("cases.types.")
    ],
    path("cases/<str:number>/", matter.case, name="case"),
    path("cases/<str:number>/documents/", matter.upload, name="upload"),
    path("cases/<str:number>/notes/", matter.note, name="note"),
    path("cases/<str:number>/conflict/", conflicts.declare, name="conflict"),
    path("cases/<str:number>/take/", matter.take_over, name="take_over"),
    path("cases/<str:number>/stop-play/", protection.stop_play, name="stop-play"),
    path("cases/<str:number>/restrictions/<uuid:restriction_id>/lift/", protection.lift, name="lift"),
    path("cases/<str:number>/show/<slug:field>/", matter.show_field, name="show"),
    path("cases/<str:number>/review/<uuid:evidence_id>/", review.review, name="review"),
    path("cases/<str:number>/review/<uuid:evidence_id>/reconsider/", review.reconsider, name="reconsider"),
    path("cases/<str:number>/review/<uuid:evidence_id>/revoke/", review.revoke, name="revoke"),
    path("cases/<str:number>/review/<uuid:evidence_id>/page/<int:page>/", review.image, name="image"),
    path("", include("cases.desk.urls")),
    path("", include("cases.oversight.urls")),
]
