"""Operations that only the tests have, each failing or acting in its own way, under /api/v1/try/."""

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import include, path
from ninja import Router, Schema, Status

from audit.perform import ConditionsNotMet, Denied, StaleVersion, WrongState
from compliance.keys.services import KeyUnavailable, Shredded
from compliance.people.models import Human
from compliance.platform.auth import Key
from compliance.platform.idempotency import idempotent
from compliance.platform.openapi import MizanAPI
from compliance.platform.scopes import Scope

router = Router()
meanwhile = None
SECRET = "Ayşe Yıldırım 10000000146"
FAILURES = {
    "denied": lambda: Denied("same_person", "You proposed this yourself."),
    "missing": lambda: Http404(SECRET),
    "stale": lambda: StaleVersion(Human()),
    "state": lambda: WrongState("Not possible now."),
    "unmet": lambda: ConditionsNotMet(["Identity is missing.", "Address is missing."]),
    "field": lambda: ValidationError({"phone": ValidationError("This is no phone number.", code="phone")}),
    "keys": lambda: KeyUnavailable(SECRET),
    "shredded": lambda: Shredded(SECRET),
    "bug": lambda: ZeroDivisionError(SECRET),
}


FAILS_AS = {"Fail": lambda: ConditionsNotMet(["No."])}


def _fail(name):
    if error := FAILS_AS.get(name, lambda: None)():
        raise error


class Thing(Schema):
    name: str
    size: int


class Made(Schema):
    id: str
    name: str


@router.get("/fail/{how}", auth=Key(Scope.PING))
def fail(request, how: str):
    raise FAILURES[how]()


@router.post("/things", auth=Key(Scope.CASES_WRITE), response={201: Made})
@idempotent
def make(request, body: Thing):
    """Leaves one row; a thing named Fail is refused after the row was written."""
    made = Human.objects.create()
    _fail(body.name)
    return Status(201, Made(id=str(made.pk), name=body.name))


@router.post("/others", auth=Key(Scope.CASES_WRITE), response={201: Made})
@idempotent
def make_other(request, body: Thing):
    return Status(201, Made(id=str(Human.objects.create().pk), name=body.name))


@router.post("/asking", auth=Key(Scope.CASES_WRITE), response={201: Made})
@idempotent(commits_itself=True)
def ask_outside(request, body: Thing):
    """As one that asks somebody outside; `meanwhile` is what happens while it waits."""
    if meanwhile is not None:
        meanwhile()
    _fail(body.name)
    return Status(201, Made(id=str(Human.objects.create().pk), name=body.name))


@router.get("/list", auth=Key(Scope.PING))
def list_things(request, limit: int = 10):
    return []


urlpatterns = [
    path(
        "api/v1/try/",
        MizanAPI(title="Tests", version="try", routers=("tests.platform.operations.router",)).urls,
    ),
    path("", include("compliance.urls")),
]
