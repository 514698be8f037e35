"""Real files in bulk: players who hand in two small photographs each, through the product's own acts."""

import io
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from django.db import transaction
from PIL import Image, ImageDraw

from audit.actors import Acts
from cases import services as engine
from cases.models import Queue
from cases.types.verification import services as verification
from compliance.people.models import Brand
from compliance.people.services import open_account, register_customer
from documents.inspection import inspect_now
from documents.uploads import seal_file

PAPERS: Final = (("identity_front", "national_id"), ("identity_back", "national_id"))


def hand_in(
    queue: Queue, brand: Brand, count: int, *, by: Acts, seed: str, say: Callable[[str, int, int], None]
) -> None:
    """`count` sealed and inspected files, two a player, each with an open verification that they belong to."""
    for place in range(0, count, len(PAPERS)):
        with transaction.atomic():
            customer = register_customer(
                licensee=queue.licensee,
                full_name=f"Örnek {place:03d}",
                birth_date=date(1990, 1, 1),
                nationality="TR",
                national_id=None,
                address="",
                by=by,
            )
            facts: dict[str, Any] = {"language": "tr", "time_zone": "Europe/Istanbul", "by": by}
            account = open_account(customer=customer, brand=brand, reference=f"{seed}F-{place}", **facts)
            case = verification.open(account, level="L1", by=by)
        for n, (purpose, paper) in enumerate(PAPERS[: count - place]):
            photo = io.BytesIO(_photo(f"{seed} {place + n}"))
            upload = seal_file(customer=customer, name=f"{purpose}.jpg", stream=photo)
            inspect_now(engine.bring(case, upload, purpose=purpose, document_type=paper, by=by).document_id)
        say("files", min(place + len(PAPERS), count), count)


def _photo(words: str) -> bytes:
    """A plain picture that no other has the bytes of."""
    picture = Image.new("RGB", (1000, 640), (236, 240, 242))
    draw = ImageDraw.Draw(picture)
    for row in range(0, 640, 24):
        draw.line((0, row, 1000, row), fill=(214, 222, 226))
    draw.text((60, 60), f"SPECIMEN {words}", fill=(30, 40, 50))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()
