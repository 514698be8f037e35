"""Where the operator's platform reports transactions."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router, Schema, Status
from pydantic import Field

from cases.types.monitoring.transactions.reading import read_all
from cases.types.monitoring.transactions.services import MOST_ROWS, RowsRefused, accept, sent
from compliance.people.models import Account
from compliance.platform.auth import Key
from compliance.platform.idempotency import idempotent
from compliance.platform.problems import register
from compliance.platform.scopes import Scope

router = Router(tags=["transactions"])


def _places(error: RowsRefused) -> list[dict[str, str]]:
    return [
        {
            "pointer": f"/transactions/{one.row}/{one.field}" if one.field else f"/transactions/{one.row}",
            "code": one.code,
            "detail": one.words,
        }
        for one in error.wrong
    ]


register(
    RowsRefused,
    status=422,
    code="rows_refused",
    detail=_("Some rows cannot be accepted, so none was. The list errors names each. Correct them and send all again."),
    errors=_places,
)


class TransactionsIn(Schema):
    """Up to 500 transactions of the licensee of the key. Each row has the fields that the reference names."""

    transactions: list[dict[str, str | int | bool | None]] = Field(
        min_length=1,
        max_length=MOST_ROWS,
        examples=[
            [
                {
                    "source_id": "tx-1",
                    "account": "P-88213",
                    "kind": "deposit",
                    "amount": 5000,
                    "currency": "EUR",
                    "at": "2026-11-20T18:30:00Z",
                }
            ]
        ],
    )


class TransactionsOut(Schema):
    """`known` were accepted before, word for word the same."""

    accepted: int
    known: int


@router.post(
    "/transactions", auth=Key(Scope.TRANSACTIONS_WRITE), response={202: TransactionsOut}, summary="Report transactions"
)
@idempotent
def report_transactions(request: HttpRequest, body: TransactionsIn) -> Any:
    """All rows or none. A row sent twice counts once, with or without an Idempotency-Key: its source_id names it."""
    rows, wrong = read_all(list(body.transactions))
    if wrong:
        raise RowsRefused(wrong)
    key = request.auth  # type: ignore[attr-defined]
    found = accept(key.licensee, rows, by=key)
    return Status(202, TransactionsOut(accepted=found.accepted, known=found.known))


class TransactionOut(Schema):
    """As it was sent; what is not shown here was not kept as it came."""

    source_id: str = Field(examples=["tx-1"])
    account: str = Field(examples=["P-88213"])
    kind: str = Field(examples=["deposit"])
    amount: int = Field(examples=[5000], description="Minor units")
    currency: str = Field(examples=["EUR"])
    at: datetime


class TransactionList(Schema):
    """`missing` were never accepted, so send them; or their player was erased."""

    items: list[TransactionOut]
    missing: list[str] = Field(examples=[["tx-2"]])


SourceIds = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=64)]],
    Query(min_length=1, max_length=100, description="Your own numbers, each as a parameter of its own"),
]


@router.get(
    "/transactions", auth=Key(Scope.TRANSACTIONS_READ), response=TransactionList, summary="Read reported transactions"
)
def read_transactions(request: HttpRequest, source_id: SourceIds) -> Any:
    """What was accepted under numbers that you name: for finding what was lost, after daily counts differ."""
    key = request.auth  # type: ignore[attr-defined]
    rows = sent(key.licensee, source_id, by=key)
    mine = Account.objects.filter(pk__in={row.account_id for row in rows}, released_at=None)
    references = dict(mine.values_list("pk", "reference"))
    items = [
        TransactionOut(
            account=references[row.account_id],
            **{name: getattr(row, name) for name in ("source_id", "kind", "amount", "currency", "at")},
        )
        for row in rows
        if row.account_id in references
    ]
    known = {one.source_id for one in items}
    return TransactionList(items=items, missing=[name for name in dict.fromkeys(source_id) if name not in known])
