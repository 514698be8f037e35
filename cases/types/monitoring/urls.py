"""Addresses of the compartment. Nothing of it has an address elsewhere."""

from django.urls import path

from cases.types.monitoring.views import acting, pages

urlpatterns = [
    path("aml/", pages.work, name="aml"),
    path("aml/delays/", pages.delay_list, name="aml-delays"),
    path("aml/new/", pages.new, name="aml-new"),
    path("aml/leads/<slug:kind>/<uuid:source_id>/", pages.lead, name="aml-lead"),
    path("aml/investigations/<str:number>/", pages.investigation, name="aml-investigation"),
    path("aml/investigations/<str:number>/end/", acting.end, name="aml-end"),
    path("aml/investigations/<str:number>/freezes/<uuid:freeze_id>/lift/", acting.lift, name="aml-lift"),
    path("aml/investigations/<str:number>/files/<uuid:exhibit_id>/", pages.exhibit, name="aml-file"),
    path("aml/investigations/<str:number>/put-file-in/", acting.put_file_in, name="aml-put-file-in"),
    path("aml/investigations/<str:number>/<slug:verb>/", acting.act, name="aml-act"),
]
