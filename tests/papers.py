"""Files for tests: small real JPEG, PNG and PDF, each different from the last."""

import io
from itertools import count

from PIL import Image, ImageDraw

from audit.actors import system
from audit.perform import perform
from cases import services as engine
from documents.inspection import inspect_now
from documents.uploads import seal_file

_serial = count(1)


def a_file(kind="JPEG", size=(320, 200)):
    """The bytes of a real picture or document that nobody handed in before."""
    picture = Image.new("RGB", size, (230, 240, 238))
    ImageDraw.Draw(picture).text((10, 10), f"specimen {next(_serial)}", fill="black")
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()


def bring(case, purpose, document_type, *, by, data=None, name="front.jpg", inspected=True):
    """Hand a file in and let it pass the inspection, as a worker would.

    `inspected=False` passes it without starting the inspection's process, for tests that need hundreds.
    """
    upload = seal_file(customer=case.customer, name=name, stream=io.BytesIO(data or a_file()))
    evidence = engine.bring(case, upload, purpose=purpose, document_type=document_type, by=by)
    if inspected:
        inspect_now(evidence.document_id)
    else:
        perform(evidence.document.pass_inspection, by=system(), facts={})
    return evidence
