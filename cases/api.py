"""What the operator's platform does with players and their matters."""

import hashlib
from datetime import date, datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Router, Schema, Status
from pydantic import Field

from cases import kinds, resumable, services
from cases.queries import get_case
from compliance.people.contacts import country as letters
from compliance.people.models import Account, Brand, Customer
from compliance.people.risk import PLATFORM, learn_country
from compliance.people.services import open_account, register_customer
from compliance.platform.auth import Key
from compliance.platform.describing.errors import PROBLEM
from compliance.platform.idempotency import idempotent
from compliance.platform.models import ApiKey
from compliance.platform.problems import MOMENT, register
from compliance.platform.scopes import Scope
from compliance.platform.trying import arrange
from documents.services import NotReady, Refused
from documents.serving import original
from documents.uploads import accept

router = Router(tags=["players and cases"])
# "busy": the vault could not write now, which is no fault of the file's.
register(
    Refused,
    status=lambda refused: 503 if refused.text == "busy" else 422,
    code=lambda refused: str(refused.code),
    headers=lambda refused: {"Retry-After": MOMENT} if refused.text == "busy" else {},
)

# The only four states that ever leave the house (experience P3).
PUBLIC_STATES = {"open": "received", "in_review": "in_review", "waiting": "need_something", "closed": "finished"}


class CustomerIn(Schema):
    """A player at the licensee of the key."""

    full_name: str = Field(max_length=200, examples=["Işıl Yıldırım"], description="As on the document")
    birth_date: date = Field(examples=["1991-03-14"])
    nationality: str = Field(min_length=2, max_length=2, examples=["TR"])
    national_id: str | None = Field(default=None, max_length=20, examples=["10000000146"])
    address: str = Field(default="", max_length=400, examples=["Örnek Mah. 1. Sok. No: 1, İstanbul"])
    residence: str = Field(
        default="",
        max_length=2,
        examples=["TR"],
        description="The country they live in",
    )


class CustomerOut(Schema):
    id: UUID
    level: str = Field(description="Verification level reached")


class AccountIn(Schema):
    """The customer at a brand, under your own reference."""

    customer: UUID
    brand: str = Field(examples=["lale"])
    reference: str = Field(max_length=64, examples=["P-88213"])
    email: str = Field(default="", max_length=254, examples=["isil@example.com"])
    phone: str | None = Field(default=None, max_length=30, examples=["+90 532 123 45 67"])
    language: str = Field(default="tr", max_length=10)
    time_zone: str = Field(default="Europe/Istanbul", max_length=64)


class AccountOut(Schema):
    reference: str
    brand: str
    customer: UUID


class CaseIn(Schema):
    account: str = Field(examples=["P-88213"], description="Your reference of the account")
    level: str = Field(examples=["L2"], description="The level to reach; the licensee's policy names them")


class Item(Schema):
    """One thing the case asks for."""

    purpose: str
    status: Literal["missing", "pending", "accepted", "returned", "rejected", "expired"]


class CaseOut(Schema):
    """`state` is one of the four that a player may see."""

    number: str = Field(examples=["KYC-26-004813-9"])
    kind: str
    state: Literal["received", "in_review", "need_something", "finished"]
    account: str
    opened_at: datetime
    closed_at: datetime | None
    items: list[Item]


class FileOut(Schema):
    id: UUID
    purpose: str
    document_type: str
    status: str


@router.post("/customers", auth=Key(Scope.CUSTOMERS_WRITE), response={201: CustomerOut}, summary="Register a customer")
@idempotent
def create_customer(request: HttpRequest, body: CustomerIn) -> Any:
    key = _key(request)
    with transaction.atomic():
        customer = register_customer(licensee=key.licensee, by=key, **body.model_dump(exclude={"residence"}))
        if body.residence:
            _lives_in(customer, body.residence, by=key)
    return Status(201, CustomerOut(id=customer.pk, level=customer.level))


def _lives_in(customer: Customer, country: str, *, by: ApiKey) -> None:
    """ValidationError names the field as the body has it."""
    code, today = letters(country, field="residence"), customer.licensee.today()
    learn_country(customer, "residence", code, source=PLATFORM, known_on=today, by=by)


@router.post("/accounts", auth=Key(Scope.ACCOUNTS_WRITE), response={201: AccountOut}, summary="Open an account")
@idempotent
def create_account(request: HttpRequest, body: AccountIn) -> Any:
    key = _key(request)
    customer = Customer.objects.filter(pk=body.customer, licensee_id=key.licensee_id).select_related("licensee").first()
    brand = Brand.objects.filter(slug=body.brand, licensee_id=key.licensee_id).first()
    if customer is None or brand is None:
        raise Http404("no such customer or brand")
    facts = body.model_dump(exclude={"customer", "brand"})
    with transaction.atomic():
        account = open_account(customer=customer, brand=brand, by=key, **facts)
        arrange(account, by=key)
    return Status(201, AccountOut(reference=account.reference, brand=brand.slug, customer=customer.pk))


def _same_file(request: HttpRequest, **inputs: Any) -> bytes:
    """Two uploads are the same request when case, purpose and content are: known once the file has passed."""
    upload = request.FILES.get("file")
    digests = getattr(upload, "digests", None)
    words = [inputs["number"], request.POST.get("purpose", ""), request.POST.get("document_type", "")]
    return hashlib.sha256("\n".join(words).encode() + (digests.plaintext if digests else b"")).digest()


# Those of documents.releasing that a program can mean; "other" would need words.
ReasonToTake = Literal["authority", "dispute", "examination", "player_asked", "audit"]
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FILE = {"image/jpeg": _BYTES, "image/heic": _BYTES, "image/png": _BYTES, "application/pdf": _BYTES}
ORIGINAL_ANSWERS = {
    "parameters": [{"name": "Range", "in": "header", "schema": {"type": "string"}, "example": "bytes=0-1023"}],
    "responses": {
        200: {"description": "The whole file", "content": _FILE},
        206: {"description": "The range asked for", "content": _FILE},
        416: {"description": "The range lies outside of the file"},
    },
}
UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "purpose", "document_type"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "JPEG, HEIC, PNG or PDF, at most 50 MiB",
                        },
                        "purpose": {"type": "string", "examples": ["identity_front"]},
                        "document_type": {"type": "string", "examples": ["national_id"]},
                    },
                }
            }
        },
    }
}


@router.post(
    "/cases/{number}/documents",
    auth=Key(Scope.DOCUMENTS_WRITE, arriving=True),
    response={201: FileOut},
    openapi_extra=UPLOAD_BODY,
    summary="Hand a file in",
)
def upload_document(request: HttpRequest, number: str) -> Any:
    """The file is encrypted while it arrives. The inspection follows; the case shows when it can be judged."""
    key = _key(request)
    case = get_case(number, user=key)
    handler = accept(request, case.customer)
    try:
        return _bring(request, number=number)
    finally:
        handler.close()


_PIECE_HEADERS = [
    {"name": "Tus-Resumable", "in": "header", "required": True, "schema": {"type": "string"}, "example": "1.0.0"},
    {"name": "Upload-Offset", "in": "header", "required": True, "schema": {"type": "integer"}, "example": 0},
]
BEGIN_UPLOAD = {
    "parameters": [
        _PIECE_HEADERS[0],
        {"name": "Upload-Length", "in": "header", "required": True, "schema": {"type": "integer"}, "example": 3145728},
        {
            "name": "Upload-Metadata",
            "in": "header",
            "required": True,
            "schema": {"type": "string"},
            "description": "filename, filetype, purpose, document_type; each with its value in base64",
        },
    ],
    "responses": {
        201: {"description": "Location says where the pieces go"},
        412: PROBLEM,
        413: PROBLEM,
    },
}
PIECE = {
    "parameters": _PIECE_HEADERS,
    "requestBody": {"required": True, "content": {resumable.PIECE_TYPE: _BYTES}},
    "responses": {
        204: {"description": "Upload-Offset says how far it is; Upload-Result names the evidence at the end"},
        412: PROBLEM,
        460: PROBLEM,  # the bytes are not those of Upload-Checksum
    },
}
STANDING = {
    "parameters": _PIECE_HEADERS[:1],
    "responses": {200: {"description": "Upload-Offset says how far it is"}, 412: PROBLEM},
}
GIVEN_UP = {
    "parameters": _PIECE_HEADERS[:1],
    "responses": {204: {"description": "It is gone"}, 412: PROBLEM},
}


@router.post(
    "/cases/{number}/uploads",
    auth=Key(Scope.DOCUMENTS_WRITE),
    openapi_extra=BEGIN_UPLOAD,
    summary="Begin to send a file in pieces",
)
def begin_upload(request: HttpRequest, number: str) -> Any:
    """tus 1.0 (tus.io), with creation, expiration, checksum and termination: what came stays when a connection
    breaks.
    """
    case = get_case(number, user=_key(request))
    address = partial(_upload_address, number)
    return resumable.create(request, case, by=_key(request), address=address)


def _upload_address(number: str, upload_id: UUID) -> str:
    return reverse("api:continue_upload", kwargs={"number": number, "upload_id": upload_id})


@router.patch(
    "/cases/{number}/uploads/{upload_id}",
    auth=Key(Scope.DOCUMENTS_WRITE, arriving=True),
    openapi_extra=PIECE,
    url_name="continue_upload",
    summary="Send the next piece of a file",
)
def continue_upload(request: HttpRequest, number: str, upload_id: UUID) -> Any:
    """The bytes that follow `Upload-Offset`. With the last one the file is handed in."""
    return resumable.answer(request, get_case(number, user=_key(request)), upload_id, by=_key(request))


@router.api_operation(
    ["HEAD"],
    "/cases/{number}/uploads/{upload_id}",
    auth=Key(Scope.DOCUMENTS_WRITE),
    openapi_extra=STANDING,
    summary="Ask how far a file came",
)
def standing_of_upload(request: HttpRequest, number: str, upload_id: UUID) -> Any:
    return resumable.answer(request, get_case(number, user=_key(request)), upload_id, by=_key(request))


@router.delete(
    "/cases/{number}/uploads/{upload_id}",
    auth=Key(Scope.DOCUMENTS_WRITE),
    openapi_extra=GIVEN_UP,
    summary="Give up a file that was sent in pieces",
)
def give_up_upload(request: HttpRequest, number: str, upload_id: UUID) -> Any:
    return resumable.answer(request, get_case(number, user=_key(request)), upload_id, by=_key(request))


@router.get(
    "/cases/{number}/documents/{id}/original",
    auth=Key(Scope.DOCUMENTS_READ),
    openapi_extra=ORIGINAL_ANSWERS,
    summary="Take an original",
)
def read_original(request: HttpRequest, number: str, id: UUID, reason: ReasonToTake) -> Any:
    """The file byte for byte as it was handed in, or the range asked for, once it passed its inspection. The reason
    stands in the log.
    """
    case = get_case(number, user=_key(request))
    evidence = get_object_or_404(case.evidence.select_related("document__customer"), pk=id)
    try:
        return original(
            evidence.document,
            by=_key(request),
            purpose=f"original_{reason}",
            matter=case.number,
            headers=request.headers,
        )
    except NotReady:
        raise Http404("not ready") from None


@idempotent(fingerprint=_same_file)  # type: ignore[untyped-decorator]
def _bring(request: HttpRequest, *, number: str) -> Any:
    key = _key(request)
    case = get_case(number, user=key)
    purpose, document_type = request.POST.get("purpose", ""), request.POST.get("document_type", "")
    evidence = services.bring(case, request.FILES.get("file"), purpose=purpose, document_type=document_type, by=key)
    return Status(201, FileOut(id=evidence.pk, purpose=purpose, document_type=document_type, status=evidence.state))


def case_out(case: Any) -> CaseOut:
    checks = kinds.lookup(case.kind).checks(case)
    return CaseOut(
        number=case.number,
        kind=case.kind,
        state=PUBLIC_STATES[case.state],  # type: ignore[arg-type]
        account=case.account.reference,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        items=[Item(purpose=check.purpose, status=check.status) for check in checks],
    )


def account_of(key: ApiKey, reference: str) -> Account:
    """The account under this reference at the key's licensee; Http404 when there is none."""
    found = (
        Account.objects.filter(reference=reference, licensee_id=key.licensee_id, released_at=None)
        .select_related("licensee", "customer", "brand")
        .first()
    )
    if found is None:
        raise Http404("no such account")
    return found


def _key(request: HttpRequest) -> ApiKey:
    return request.auth  # type: ignore[attr-defined,no-any-return]
