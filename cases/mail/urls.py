"""Addresses of mail, in the namespace of cases."""

from django.urls import path

from cases.mail import views

urlpatterns = [
    path("mail/", views.inbox, name="mail"),
    path("mail/<uuid:letter_id>/", views.letter, name="letter"),
    path("mail/<uuid:letter_id>/match/", views.match, name="match-letter"),
    path("mail/<uuid:letter_id>/discard/", views.discard, name="discard-letter"),
    path("mail/<uuid:letter_id>/restore/", views.restore, name="restore-letter"),
    path("mail/<uuid:letter_id>/move/", views.move_away, name="move-letter"),
    path("mail/<uuid:letter_id>/files/<uuid:file_id>/", views.offer, name="offer-file"),
    path("cases/<str:number>/messages/", views.write, name="write"),
    path("cases/<str:number>/deliveries/<uuid:message_id>/", views.trouble, name="delivery"),
]
