"""Addresses of the engine. Each kind's own addresses come from its folder, found like its app."""

from django.apps import apps
from django.urls import include, path

from cases.views import (
    conflicts,
    files,
    handling,
    lists,
    matter,
    news,
    protection,
    record,
    rectifying,
    review,
    saved,
    starting,
)

app_name = "cases"
urlpatterns = [
    path("", lists.home, name="home"),
    path("cases/", lists.queue, name="queue"),
    path("cases/next/", lists.take, name="take"),
    path("cases/news/", news.news, name="news"),
    path("cases/file/", news.take_list, name="take-list"),
    path("cases/undo/", handling.undo, name="undo"),
    path("cases/views/", saved.save, name="save-view"),
    path("cases/views/<uuid:view_id>/drop/", saved.drop, name="drop-view"),
    path("search/", lists.find, name="search"),
    path("contacts/new/", starting.contact, name="contact-start"),
    path("players/<uuid:customer_id>/stop-play/", protection.stop_player, name="stop-player"),
    path(
        "players/<uuid:customer_id>/restrictions/<uuid:restriction_id>/lift/",
        protection.lift_for_player,
        name="lift-player",
    ),
    *[
        path("", include(f"{config.name}.urls"))
        for config in apps.get_app_configs()
        if config.name.startswith("cases.types.")
    ],
    path("cases/<str:number>/", matter.case, name="case"),
    path("cases/<str:number>/documents/", matter.upload, name="upload"),
    path("cases/<str:number>/notes/", matter.note, name="note"),
    path("cases/<str:number>/conflict/", conflicts.declare, name="conflict"),
    path("cases/<str:number>/record/", record.decision_record, name="record"),
    path("cases/<str:number>/declared/", rectifying.rectify, name="rectify"),
    path("cases/<str:number>/assign/", handling.assign, name="assign"),
    path("cases/<str:number>/snooze/", handling.sleep, name="snooze"),
    path("cases/<str:number>/wake/", handling.wake, name="wake"),
    path("cases/<str:number>/priority/", handling.set_priority, name="priority"),
    path("cases/<str:number>/tag/", handling.tag, name="tag"),
    path("cases/<str:number>/watch/", handling.watch, name="watch"),
    path("cases/<str:number>/restrict/", handling.restrict, name="restrict"),
    path("cases/<str:number>/present/", handling.present, name="present"),
    path("cases/<str:number>/take/", matter.take_over, name="take_over"),
    path("cases/<str:number>/stop-play/", protection.stop_play, name="stop-play"),
    path("cases/<str:number>/restrictions/<uuid:restriction_id>/lift/", protection.lift, name="lift"),
    path("cases/<str:number>/show/<slug:field>/", matter.show_field, name="show"),
    path("cases/<str:number>/uploads/", files.begin_upload, name="begin-upload"),
    path("cases/<str:number>/uploads/<uuid:upload_id>/", files.continue_upload, name="continue-upload"),
    path("cases/<str:number>/review/<uuid:evidence_id>/", review.review, name="review"),
    path("cases/<str:number>/review/<uuid:evidence_id>/reconsider/", review.reconsider, name="reconsider"),
    path("cases/<str:number>/review/<uuid:evidence_id>/also/", review.use_also, name="use-also"),
    path("cases/<str:number>/review/<uuid:evidence_id>/revoke/", review.revoke, name="revoke"),
    path("cases/<str:number>/review/<uuid:evidence_id>/page/<int:page>/", files.image, name="image"),
    path("cases/<str:number>/review/<uuid:evidence_id>/page/<int:page>/<str:link>/", files.picture, name="picture"),
    path("cases/<str:number>/review/<uuid:evidence_id>/print/", files.print_file, name="print-file"),
    path("cases/<str:number>/review/<uuid:evidence_id>/original/", files.original, name="original"),
    path(
        "cases/<str:number>/review/<uuid:evidence_id>/original/<str:link>/", files.take_original, name="take-original"
    ),
    path("", include("cases.bulk.urls")),
    path("", include("cases.tags.urls")),
    path("", include("cases.macros.urls")),
    path("", include("cases.relations.urls")),
    path("", include("cases.corrections.urls")),
    path("", include("cases.desk.urls")),
    path("", include("cases.oversight.urls")),
    path("", include("cases.quality.urls")),
    path("", include("cases.glass.urls")),
    path("", include("cases.looking.urls")),
]
