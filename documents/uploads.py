"""Files are encrypted while they arrive: no plaintext is ever written to disk, not even for a moment.

A page that takes files:

    @rule(Rule.SIGNED_IN)
    @receives_files(lambda request, number: get_case(number, user=request.user).customer)
    def upload(request, number):
        document = receive(customer=..., upload=request.FILES.get("file"), by=request.user)

An API route (no cross-site check, the key is in a header) calls `accept(request, customer)` and then reads
`request.FILES`. Both ask for the customer, and so whether the caller may see it, before the first byte of the body
is read. Every other route refuses files.
"""

import logging
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from django.core.exceptions import BadRequest, RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from compliance.keys.services import ensure_subject_key
from compliance.people.models import Customer
from documents import media
from documents.refusals import Refused
from documents.storage import Put, storage
from documents.vault import KEY, Digests, Header, Sealing

log = logging.getLogger(__name__)

LARGEST = 50 * 1024 * 1024
# All files of a request together: beyond it the next ones are refused, and what came before is kept.
LARGEST_REQUEST = 2 * LARGEST
# A refused file is read to its end, so that the sender sees the message and not a broken connection; but not for ever.
PATIENCE = 4 * LARGEST


class SealedUpload:
    """One file on its way in: told by its first bytes, watched, sealed and counted as it passes.

    What is wrong with it is kept in `refusal` and raised by `receive`: the rest of the request must be read all the
    same.
    """

    def __init__(self, customer: Customer, *, name: str, declared: str) -> None:
        self.customer = customer
        self.document_id: UUID = uuid4()
        self.key = secrets.token_bytes(KEY)
        self.name, self.content_type = name, declared
        self.size = 0
        self.media_type = ""
        self.digests: Digests | None = None
        self.refusal: Refused | None = None
        self.stored = False
        self._head = b""
        self._put: Put | None = None
        self._sealing: Sealing | None = None
        self._watch: media.Watch | None = None
        try:
            self.name = media.clean_name(name)
        except Refused as refusal:
            self.refusal = refusal

    def feed(self, data: bytes) -> None:
        self.size += len(data)
        if self.refusal is not None:
            return
        with _Refusing(self):
            if self.size > LARGEST:
                raise Refused("too_large")
            if self._sealing is None:
                self._head += data
                if len(self._head) >= media.HEAD:
                    self._begin()
            else:
                self._pass(data)

    def refuse(self, text: str) -> None:
        """For a reason that lies outside this file. Nothing of it is kept; what still comes of it is only counted."""
        if self.refusal is None:
            with _Refusing(self):
                raise Refused(text)

    def complete(self) -> None:
        """The last byte came."""
        if self.refusal is not None:
            return
        with _Refusing(self):
            if not self.size:
                raise Refused("empty")
            if self._sealing is None:
                self._begin()
            assert self._sealing is not None and self._watch is not None
            if not self._watch.is_whole():
                raise Refused("truncated")
            self.digests = self._sealing.finish()

    def store(self) -> None:
        """Make the file durable under its final name. Raises Refused when the disk fails; then nothing is left."""
        with _Refusing(self):
            assert self._put is not None and self.digests is not None
            self._put.commit()
            self._put, self.stored = None, True
        if self.refusal is not None:
            raise self.refusal

    def close(self) -> None:
        """Forget what was not stored. Django calls it at the end of the request."""
        if self._sealing is not None:
            self._sealing.abandon()
            self._sealing = None
        if self._put is not None:
            self._put.discard()
            self._put = None

    def _begin(self) -> None:
        kind = media.kind_of(self._head, name=self.name, declared=self.content_type)
        self.media_type, self._watch = kind.media_type, kind.watch()
        subject = self.customer.audit_subject
        header = Header(self.document_id, self.customer.pk, ensure_subject_key(subject).version)
        self._put = storage().begin(self.document_id)
        self._sealing = Sealing(self.key, header, self.customer.licensee_id, self._put.write)
        head, self._head = self._head, b""
        self._pass(head)

    def _pass(self, data: bytes) -> None:
        assert self._sealing is not None and self._watch is not None
        self._watch.feed(data)
        if self._watch.pixels > media.PIXELS:
            raise Refused("too_many_pixels")
        self._sealing.update(data)


def seal_file(*, customer: Customer, name: str, stream: BinaryIO, declared: str = "") -> SealedUpload:
    """An upload from a stream that is no request: mail, import, demo. Close it if it is not received."""
    upload = SealedUpload(customer, name=name, declared=declared)
    while data := stream.read(SealingUploadHandler.chunk_size):
        upload.feed(data)
    upload.complete()
    return upload


class _Refusing:
    """Turns what goes wrong into the upload's refusal, and leaves nothing behind."""

    def __init__(self, upload: SealedUpload) -> None:
        self._upload = upload

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if error is None:
            return False
        self._upload.close()
        if isinstance(error, Refused):
            self._upload.refusal = error
            return True
        if isinstance(error, OSError):
            log.error("A file could not be stored: %s", error)
            self._upload.refusal = Refused("busy")
            return True
        return False


class SealingUploadHandler(FileUploadHandler):
    """Seals each file of the request for `customer`; the view finds a SealedUpload in `request.FILES`."""

    # Smaller pieces cost more in changing threads than they save in memory.
    chunk_size = 1024 * 1024

    def __init__(self, request: HttpRequest, customer: Customer) -> None:
        super().__init__(request)
        self._customer = customer
        self._uploads: list[SealedUpload] = []

    def new_file(self, field_name: str, file_name: str, content_type: str, *args: Any, **kwargs: Any) -> None:
        self._uploads.append(SealedUpload(self._customer, name=file_name, declared=content_type or ""))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        upload = self._uploads[-1]
        upload.feed(raw_data)
        total = sum(one.size for one in self._uploads)
        if total > LARGEST_REQUEST:
            upload.refuse("too_large_request")
        if total > PATIENCE:
            raise RequestDataTooBig("The file is far too large.")

    def file_complete(self, file_size: int) -> Any:
        upload = self._uploads[-1]
        upload.complete()
        return upload

    def upload_interrupted(self) -> None:
        self.close()

    def close(self) -> None:
        for upload in self._uploads:
            upload.close()


class RefusingUploadHandler(FileUploadHandler):
    """The handler of all routes that take no files: 400, and nothing is written anywhere."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise BadRequest(_("This address takes no files."))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        raise BadRequest(_("This address takes no files."))

    def file_complete(self, file_size: int) -> None:
        return None


def accept(request: HttpRequest, customer: Customer) -> SealingUploadHandler:
    """Take files of this request for `customer`. Must come before anything reads `request.POST` or `request.FILES`."""
    handler = SealingUploadHandler(request, customer)
    request.upload_handlers = [handler]
    return handler


View = Callable[..., HttpResponseBase]


def receives_files(find_customer: Callable[..., Customer]) -> Callable[[View], View]:
    """A page's view takes files for the customer that `find_customer(request, **of the URL)` returns, or refuses by
    raising.

    Django's cross-site check reads the form, and with it the files, before the view runs; so it is put off until
    the handler is there (Django's "Modifying upload handlers on the fly").
    """

    def decorate(view: View) -> View:
        checked = csrf_protect(view)

        @wraps(view)
        def receiving(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != "POST":
                return checked(request, *args, **kwargs)
            handler = accept(request, find_customer(request, *args, **kwargs))
            try:
                return checked(request, *args, **kwargs)
            finally:
                handler.close()

        return csrf_exempt(receiving)

    return decorate
