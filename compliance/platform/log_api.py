"""The log for programs that watch it: its newest checkpoint, and proofs. Hashes and numbers only, no entry.

Only the main log: the other one does not exist for a key.
"""

from typing import Annotated, Any

from django.db import transaction
from django.http import Http404, HttpRequest
from ninja import Router, Schema
from pydantic import Field

from audit import proofs, queries
from audit.record import ObjectRef, record
from audit.tree import NoSuchProof
from compliance.platform.auth import Key
from compliance.platform.describing.errors import PROBLEM
from compliance.platform.scopes import Scope

router = Router(tags=["log"])
LOG = "main"
LARGEST = 2**53 - 1
UNSIGNED = {"responses": {404: PROBLEM}}
Index = Annotated[int, Field(ge=0, le=LARGEST)]
Size = Annotated[int, Field(ge=1, le=LARGEST)]


class Signed(Schema):
    """How far the log is signed. `note` is a C2SP checkpoint, `vkey` the key to check it with: pin yours, not this."""

    size: int = Field(examples=[12041])
    note: str
    vkey: str


class Inclusion(Schema):
    """`proof` is a C2SP tlog-proof: the place of the entry with this index, up to the checkpoint at its end."""

    index: int
    size: int
    proof: str


class Continuation(Schema):
    """`proof` begins with `old <size>`, then one hash a line, an empty line, and the newest checkpoint."""

    old: int
    size: int
    proof: str


@router.get(
    "/log/checkpoint",
    auth=Key(Scope.LOG_READ),
    response=Signed,
    openapi_extra=UNSIGNED,
    summary="The log's newest checkpoint",
)
def checkpoint(request: HttpRequest) -> Any:
    """Keep it, away from this system: later checkpoints must continue it. 404 before anything is signed."""
    now = queries.standing(LOG)
    if not now.note or not now.vkey:
        raise Http404("nothing is signed yet")
    return Signed(size=now.signed_size, note=now.note, vkey=now.vkey)


@router.get("/log/proofs/{index}", auth=Key(Scope.LOG_READ), response=Inclusion, summary="Prove one entry")
def inclusion(request: HttpRequest, index: Index) -> Any:
    """That the entry with this index is in the signed log. Handing the proof out is itself an entry."""
    try:
        proof, size = proofs.proof(LOG, index)
    except proofs.NotSignedYet:
        raise Http404("not signed yet") from None
    with transaction.atomic():
        about = ObjectRef("entry", f"{LOG}/{index}")
        record("audit.prove", by=request.auth, about=about, details={"seq": index, "size": size})  # type: ignore[attr-defined]
    return Inclusion(index=index, size=size, proof=proof)


@router.get(
    "/log/consistency",
    auth=Key(Scope.LOG_READ),
    response=Continuation,
    openapi_extra=UNSIGNED,
    summary="Prove that the log only grew",
)
def consistency(request: HttpRequest, old: Size) -> Any:
    """That the newest checkpoint continues the one of `old` entries that you kept."""
    try:
        proof, size = proofs.continues(LOG, old)
    except (proofs.NotSignedYet, NoSuchProof):
        raise Http404("not signed yet") from None
    return Continuation(old=old, size=size, proof=proof)
