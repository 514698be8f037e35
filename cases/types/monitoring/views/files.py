"""Files of the compartment: held in memory while they arrive, never in the clear on disk or with a player's files."""

import io
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from cases.types.monitoring.basket import MOST_BYTES
from cases.types.monitoring.permissions import require
from compliance.people.requests import signed_in

View = Callable[..., HttpResponse]


class InMemory(FileUploadHandler):
    """Holds one file of at most MOST_BYTES."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._data = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > MOST_BYTES:
            raise RequestDataTooBig("The file is too large.")
        self._data.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self._data.seek(0)
        name, kind = self.file_name or "", self.content_type
        return InMemoryUploadedFile(self._data, self.field_name, name, kind, file_size, self.charset)


def takes_a_file(view: View) -> View:
    """The page takes files, of people of the compartment only.

    Django's check against other sites reads the form, and with it the files; so it is put off until the handler is
    there.
    """
    checked = csrf_protect(view)

    @csrf_exempt
    @wraps(view)
    def taking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require(signed_in(request))
        request.upload_handlers = [InMemory(request)]
        return checked(request, *args, **kwargs)

    return taking
