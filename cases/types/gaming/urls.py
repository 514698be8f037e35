"""Addresses of requests about play, under the engine's."""

from django.urls import path

from cases.types.gaming.views import player, staff

urlpatterns = [
    path("my/break/", player.choose, name="my-break"),
    path("my/break/effect/", player.effect, name="my-break-effect"),
    path("my/break/start/", player.start, name="my-break-start"),
    path("my/break/<uuid:exclusion_id>/", player.receipt, name="my-break-receipt"),
    path("cases/new/gaming/", staff.new, name="gaming-new"),
    path("cases/<str:number>/look-after/", staff.review, name="gaming-review"),
    path("cases/<str:number>/settle/", staff.settle, name="gaming-settle"),
    path("cases/<str:number>/interaction/", staff.interaction, name="gaming-interaction"),
    path("cases/<str:number>/protection/<slug:act>/", staff.propose_act, name="gaming-propose"),
    path("cases/<str:number>/duplicates/<uuid:duplicate_id>/", staff.duplicate, name="gaming-duplicate"),
    path("cases/<str:number>/duplicates/<uuid:duplicate_id>/same/", staff.same_person, name="gaming-same"),
    path("cases/<str:number>/return/", staff.ask_return, name="gaming-return"),
    path("cases/<str:number>/return/refuse/", staff.refuse, name="gaming-refuse"),
    path("cases/<str:number>/return/confirm/", staff.confirm_return, name="gaming-confirm"),
]
