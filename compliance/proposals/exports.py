"""Exports of the log that one person may not make alone: asked for, confirmed by another, taken by who asked.

What is confirmed is the request and nothing else. The bundle is made when it is taken, within a week and by the person
who asked, so that it never lies anywhere; each taking is an entry that names the proposal.
"""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import IO, Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit import queries, selections
from audit.canonical import canonical
from audit.export import export
from audit.perform import ConditionsNotMet, WrongState
from audit.sealed_parts import recipient_of
from audit.selections import CannotExport, Selection
from compliance.people.models import User
from compliance.policy.schema import Need
from compliance.proposals import acts
from compliance.proposals.models import ExportRequest, Proposal, State
from compliance.proposals.queries import require_second_person
from compliance.proposals.sealed import note_of
from compliance.proposals.services import propose

ACT = "audit.export"
EXPORT, VIEW_AML = "audit.export_entry", "audit.view_aml_entry"
TAKEN_WITHIN = timedelta(days=7)
SPACES = {"main": "proposals", "aml": "aml-proposals"}  # where the proposals of each log have their pages
REASONS: dict[str, Promise] = {
    "audit": gettext_lazy("Audit"),
    "authority": gettext_lazy("Request of an authority"),
    "court": gettext_lazy("Court proceedings"),
    "person_asked": gettext_lazy("The person concerned asked"),
    "move": gettext_lazy("Move to another system"),
}
KINDS: dict[str, Promise] = {
    "case": gettext_lazy("One case"),
    "customer": gettext_lazy("One customer"),
    "period": gettext_lazy("A period"),
    "full": gettext_lazy("The whole log"),
}


@transaction.atomic
def ask(selection: Selection, *, by: User, reason: str, note: str) -> Proposal:
    """Ask for an export; a second person decides. Raises ConditionsNotMet where there is nothing to export.

    One of the AML side's log stands in that log and waits among the approvals of that side.
    """
    try:
        if selection.recipient:
            recipient_of(selection.recipient)
        entries = selections.count(selection, queries.standing(selection.log).size)
    except CannotExport as refused:
        raise ConditionsNotMet([str(refused)]) from None
    if not entries:
        raise ConditionsNotMet([str(_("The log has no entries of this number."))])
    request = ExportRequest.objects.create(
        kind=selection.kind,
        of=selection.of or "",
        log=selection.log,
        since=list(selection.since),
        from_on=selection.from_on,
        to_on=selection.to_on,
        recipient=selection.recipient or "",
        entries=entries,
        asked_by=by,
    )
    return propose(ACT, request, by=by, reason=reason, note=note)


def take(request: ExportRequest, out: IO[bytes], *, by: User) -> None:
    """Write the confirmed export to `out`. Raises WrongState where nobody confirmed it, or too long ago."""
    proposal = decided(request)
    if proposal is None or proposal.state != State.PERFORMED:
        raise WrongState(str(_("Nobody confirmed this export yet.")))
    if proposal.decided_at is None or proposal.decided_at < timezone.now() - TAKEN_WITHIN:
        raise WrongState(str(_("This export was confirmed more than a week ago. Ask for it again.")))
    export(request.selection, out, by=by, reason=note_of(proposal), proposal=str(proposal.pk))


def decided(request: ExportRequest) -> Proposal | None:
    """The proposal on this request: there is one."""
    found: Proposal | None = Proposal.objects.filter(act=ACT, subject_id=request.pk).order_by("-created_at").first()
    return found


def get_request(request_id: UUID, *, user: User, log: str = "main") -> ExportRequest:
    """The request, for the person who asked, under any of their sign-ins; Http404 to everybody else."""
    found = ExportRequest.objects.filter(pk=request_id, log=log, asked_by__human=user.human_id).first()
    if found is None or not _may(found, user):
        raise Http404("no such request")
    return found


def _may(request: ExportRequest, user: Any) -> bool:
    rights = [EXPORT, VIEW_AML] if request.log == "aml" else [EXPORT]
    return isinstance(user, User) and user.is_active and all(user.has_perm(right) for right in rights)


def _visible(user: Any) -> Any:
    if not (isinstance(user, User) and user.has_perm(EXPORT)):
        return ExportRequest.objects.none().values_list("pk", flat=True)
    logs = ["main", "aml"] if user.has_perm(VIEW_AML) else ["main"]
    return ExportRequest.objects.filter(log__in=logs).values_list("pk", flat=True)


def _allow(request: ExportRequest, *, proposal: str | None = None, **facts: Any) -> None:
    """Nothing moves here: the performed proposal is what `take` asks for."""
    require_second_person(ACT, request, proposal=proposal)


def _need(request: ExportRequest) -> Need:
    if request.recipient:
        return Need(True, str(_("Two persons are needed because sealed parts leave the house.")), ACT, "")
    return Need(True, str(_("Two persons are needed because of the size of the export.")), ACT, "")


def _facts(request: ExportRequest) -> Sequence[tuple[str | Promise, str | Promise]]:
    found: list[tuple[str | Promise, str | Promise]] = [(_("What"), KINDS[request.kind])]
    if title := request.selection.title:
        found.append((_("Of"), title.replace("_", " – ")))
    found.append((_("Entries"), str(request.entries)))
    found.append(
        (_("Sealed parts"), _("for the key {key}").format(key=request.recipient) if request.recipient else "–")
    )
    return found


def _digest(request: ExportRequest) -> bytes:
    asked = {name: str(getattr(request, name)) for name in ("kind", "of", "log", "since", "from_on", "to_on")}
    return sha256(canonical(asked | {"recipient": request.recipient})).digest()


acts.register(
    acts.Act(
        name=ACT,
        title=gettext_lazy("Export from the audit log"),
        run=_allow,
        load=lambda pk: ExportRequest.objects.select_for_update().get(pk=pk),
        digest=_digest,
        may_propose=_may,
        may_confirm=_may,
        visible=_visible,
        need=_need,
        facts=_facts,
        reason_text=lambda code: REASONS.get(code, code),
        consequence=lambda request: _("Whoever asked can take the export within seven days. Each taking is an entry."),
        subject_url=lambda request: reverse(f"{SPACES[request.log]}:export_request", args=[request.pk]),
        log=lambda request: request.log,
    )
)
