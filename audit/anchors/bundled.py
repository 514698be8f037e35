"""The proofs of anchors in an export.

checkpoints/<size>                 the note that was confirmed
anchors/<size>-<name>.tsr, .pem    a time stamp over it, and the certificates the authority had then
anchors/<size>-<name>.renewed.tsr  a newer time stamp over that one
cosignatures/<size>-<name>         the lines of a witness
anchors/receipts.jsonl             what the others answered: the thing itself lies with them
"""

from collections.abc import Callable

from django.db import connections

from audit.anchors.placing import COLUMNS, Anchored, anchored
from audit.canonical import dumps, timestamp

NEWEST = 64  # proofs that come along


def proofs(log: str, size: int) -> list[Anchored]:
    """The newest proofs for checkpoints of up to `size`, oldest first; each with what renewed it."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM (SELECT * FROM audit_anchor WHERE log = %s AND size <= %s "
            "ORDER BY size DESC, id DESC LIMIT %s) newest ORDER BY size, id",
            [log, size, NEWEST],
        )
        return [anchored(row) for row in cursor.fetchall()]


def checkpoints(found: list[Anchored]) -> dict[int, str]:
    """By size: the notes that were confirmed."""
    return {one.size: one.note for one in found}


def files(found: list[Anchored]) -> dict[str, Callable[[], bytes]]:
    """By name: what makes each file, as exports take them."""
    made: dict[str, bytes] = {}
    receipts, renewed = [], dict[str, int]()
    for one in found:
        base = f"{one.size}-{one.name}"
        if one.form == "stamp":
            name = f"anchors/{base}"
            if one.renews:
                renewed[base] = renewed.get(base, 0) + 1
                name += f".renewed{renewed[base]}"
            made[f"{name}.tsr"], made[f"{name}.pem"] = one.proof, one.chain.encode()
        elif one.form == "cosignature":
            made[f"cosignatures/{base}"] = one.proof
        else:
            receipt = one.proof.decode(errors="replace")
            receipts.append({"anchor": one.name, "at": timestamp(one.at), "receipt": receipt, "size": one.size})
    if receipts:
        made["anchors/receipts.jsonl"] = b"".join(dumps(receipt) + b"\n" for receipt in receipts)
    return {name: lambda data=data: data for name, data in made.items()}  # type: ignore[misc]
