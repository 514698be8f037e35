from django.urls import path

from compliance.rulebook import views

app_name = "rulebook"

urlpatterns = [
    path("", views.rules, name="rules"),
    path("sets/<str:code>/", views.rule_set, name="set"),
    path("sets/<str:code>/propose/", views.propose, name="propose"),
    path("sets/<str:code>/withdraw/", views.withdraw, name="withdraw"),
    path("<slug:slug>/", views.rules, name="licensee"),
    path("<slug:slug>/change/", views.change, name="change"),
]
