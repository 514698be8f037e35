"""Addresses of limits: the player's own pages, and staff's on a case."""

from django.urls import path

from cases.types.gaming.limits.views import player, staff

urlpatterns = [
    path("my/limits/enter/<str:token>/", player.enter, name="my-limits-enter"),
    path("my/limits/", player.limits, name="my-limits"),
    path("my/limits/set/", player.propose, name="my-limits-set"),
    path("my/limits/ask/", player.ask, name="my-limits-ask"),
    path("my/limits/<str:receipt>/", player.receipt, name="my-limits-receipt"),
    path("my/limits/<str:receipt>/confirm/", player.confirm, name="my-limits-confirm"),
    path("my/limits/<str:receipt>/withdraw/", player.withdraw, name="my-limits-withdraw"),
    path("cases/<str:number>/limits/", staff.limits, name="limits"),
    path("cases/<str:number>/limits/reduce/", staff.reduce, name="limits-reduce"),
    path("cases/<str:number>/limits/<str:receipt>/block/", staff.block, name="limits-block"),
    path("cases/<str:number>/limits/<str:receipt>/reviewed/", staff.reviewed, name="limits-reviewed"),
]
