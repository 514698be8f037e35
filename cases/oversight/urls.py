"""Addresses of what auditors ask for, of what a team lead watches, and of what somebody else sees."""

from django.urls import path

from cases.oversight.views import auditing, team, viewing

urlpatterns = [
    path("oversight/population/", auditing.population_list, name="population"),
    path("oversight/delays/", auditing.delay_list, name="delays"),
    path("oversight/customers/<uuid:customer_id>/", auditing.file_then, name="file-then"),
    path("staff/<uuid:user_id>/view-as/", viewing.view_as, name="view-as"),
    path("team/", team.overview, name="team"),
    path("team/queues/<uuid:queue_id>/", team.giving, name="team-giving"),
    path("team/people/<str:who>/", team.person, name="team-person"),
]
