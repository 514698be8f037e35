"""A URL conf with a view that forgot its rule."""

from django.http import HttpResponse
from django.urls import path

from compliance.urls import urlpatterns as ours

urlpatterns = [path("open/", lambda request: HttpResponse("open")), *ours]
