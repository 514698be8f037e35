"""Addresses for the tests: a page that takes files and one that does not."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from audit.access import Rule, rule
from audit.actors import system
from compliance.people.models import Customer
from documents.services import Refused, receive
from documents.uploads import accept, receives_files


def _customer(request, pk):
    if request.GET.get("stranger"):
        raise Http404
    return Customer.objects.get(pk=pk)


@rule(Rule.PUBLIC)
@receives_files(_customer)
def upload(request: HttpRequest, pk) -> HttpResponse:
    if request.method != "POST":
        return HttpResponse("form")
    if request.GET.get("forgets"):
        return HttpResponse(status=204)
    try:
        kept = [
            str(receive(customer=Customer.objects.get(pk=pk), upload=file, by=system()).pk)
            for file in request.FILES.getlist("file") or [None]
        ]
    except Refused as refused:
        return JsonResponse({"code": refused.code, "message": refused.message}, status=422)
    return JsonResponse({"kept": kept, "purpose": request.POST.get("purpose")}, status=201)


@rule(Rule.PUBLIC)
@csrf_exempt
def by_key(request: HttpRequest, pk) -> HttpResponse:
    customer = Customer.objects.get(pk=pk)
    accept(request, customer)
    document = receive(customer=customer, upload=request.FILES.get("file"), by=system())
    return JsonResponse({"kept": [str(document.pk)]}, status=201)


@rule(Rule.PUBLIC)
def elsewhere(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"files": len(request.FILES)})


urlpatterns = [
    path("upload/<uuid:pk>/", upload),
    path("api/<uuid:pk>/", by_key),
    path("elsewhere/", elsewhere),
]
