"""What leaves the house as a bundle."""

import tempfile
from hashlib import sha256
from urllib.parse import urlencode

from django.conf import settings
from django.http import FileResponse, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from audit.access import rule
from audit.actors import who
from audit.export import VERIFIER, CannotExport, NeedsTwo
from audit.export import export as write_export
from audit.forms import ExportForm
from audit.views.chain import logs_of

ASKED = ("case", "customer", "first_day", "last_day", "everything", "since", "recipient", "log")


@require_http_methods(["GET", "POST"])
@rule("audit.export_entry", fresh=True)
def export(request: HttpRequest) -> HttpResponseBase:
    """What one person may take out; more is refused here, with the way to the page where it is asked for."""
    form = ExportForm(request.POST or None, initial=request.GET.dict(), logs=logs_of(request))
    propose_url = ""
    if request.method == "POST" and form.is_valid():
        selection, reason = form.selection(), form.cleaned_data["reason"]
        out = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        try:
            write_export(selection, out, by=who(request.user), reason=reason, alone=settings.AUDIT_EXPORT_ALONE)
        except CannotExport as refused:
            out.close()
            form.add_error(None, str(refused))
            if isinstance(refused, NeedsTwo):
                propose_url = f"{reverse(settings.AUDIT_PROPOSE_EXPORT)}?{_asked_again(request.POST)}"
        else:
            out.seek(0)
            name = f"mizan-log-{selection.title or selection.log}.zip"
            return FileResponse(out, as_attachment=True, filename=name, content_type="application/zip")
    context = {
        "form": form,
        "propose_url": propose_url,
        "logs": logs_of(request),
        "verifier": sha256(VERIFIER.read_bytes()).hexdigest(),
        "version": settings.VERSION,
        "releases": settings.RELEASES_URL,
    }
    return render(request, "audit/export.html", context, status=422 if form.errors else 200)


def _asked_again(given: QueryDict) -> str:
    """What was asked for, for the address of the page that proposes it; the reason is written there anew."""
    return urlencode({name: value for name, value in given.items() if name in ASKED and value})
