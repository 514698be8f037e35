"""Keys with a wide scope: one administrator asks, another confirms, and whoever asked has the secret shown once.

Which scopes are wide is policy (staff.toml, `keys`). What is confirmed is the request and nothing else. The key is made
when its secret is shown, so that the secret lies nowhere and nothing works with it before.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from audit.canonical import canonical
from audit.perform import ConditionsNotMet, Denied, WrongState
from audit.record import record, record_refusal
from compliance.formats import full_moment
from compliance.people.models import Licensee, User
from compliance.platform import services
from compliance.platform.apikeys.letters import RIGHT, tell
from compliance.platform.models import ApiKey, KeyRequest
from compliance.policy.schema import Need
from compliance.policy.staff import staff_rules
from compliance.proposals import acts
from compliance.proposals.models import Proposal, State
from compliance.proposals.queries import SecondPersonNeeded, require_second_person
from compliance.proposals.services import propose

ACT = "platform.give_key"
REPLACES = "replaces"
CHOSEN: dict[str, Promise] = {
    "connect": gettext_lazy("A system is connected"),
    "more": gettext_lazy("A system has to do more"),
    "lost": gettext_lazy("The former secret was lost"),
}
REASONS: dict[str, Promise] = {**CHOSEN, REPLACES: gettext_lazy("A key is replaced before it ends")}


def need_of(licensee: Licensee, scopes: Sequence[str]) -> Need:
    """Whether a key with these scopes needs a second administrator, and why in words."""
    rules = staff_rules(on=timezone.localdate())
    asking = None if licensee.is_test else rules.keys.asking_for_two(scopes)
    why = asking.why.get(str(get_language())[:2], asking.why["en"]) if asking else ""
    return Need(asking is not None, why, "STAFF.KEYS.WIDE", rules.id)


@transaction.atomic
def issue(*, by: User, licensee: Licensee, scopes: Sequence[str], **facts: Any) -> tuple[ApiKey, str]:
    """A new key and its secret, at once. Raises SecondPersonNeeded where a scope is wide: `ask` for it."""
    _require_one_is_enough(licensee, scopes)
    key, secret = services.issue_key(licensee=licensee, scopes=scopes, created_by=by, by=by, **facts)
    tell(key)
    return key, secret


@transaction.atomic
def replace(former: ApiKey, *, overlap: timedelta, by: User, signs: bool | None = None) -> tuple[ApiKey, str]:
    """A new secret for the same use. Raises SecondPersonNeeded as `issue` does: `ask_to_replace` it."""
    _require_one_is_enough(former.licensee, former.scopes)
    key, secret = services.rotate_key(former, overlap=overlap, signs=signs, created_by=by, by=by)
    tell(key)
    return key, secret


@transaction.atomic
def ask(
    *,
    owner: User,
    licensee: Licensee,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime,
    by: User,
    reason: str,
    note: str,
    signs: bool = False,
    rate_per_minute: int | None = 6000,
) -> KeyRequest:
    """Ask for a new key; a second person decides. Raises what `proposals.propose` raises."""
    facts = {"owner": owner, "licensee": licensee, "name": name, "scopes": sorted(scopes), "expires_at": expires_at}
    facts |= {"signs": signs, "rate_per_minute": rate_per_minute}
    return _asked(KeyRequest(**facts, asked_by=by), by=by, reason=reason, note=note)


@transaction.atomic
def ask_to_replace(former: ApiKey, *, overlap: timedelta, by: User, signs: bool | None = None) -> KeyRequest:
    """Ask for the replacement of a key; a second person decides. ConditionsNotMet where one waits already."""
    former = ApiKey.objects.select_for_update(of=("self",)).select_related("owner", "licensee").get(pk=former.pk)
    if waiting().filter(former=former).exists():
        raise ConditionsNotMet([str(_("A replacement of this key waits already."))])
    same = {name: getattr(former, name) for name in ("name", "owner", "licensee", "scopes", "rate_per_minute")}
    same["signs"] = former.signs if signs is None else signs
    return _asked(KeyRequest(**same, former=former, overlap=overlap, asked_by=by), by=by, reason=REPLACES, note="")


def take(request: KeyRequest, *, by: User) -> tuple[ApiKey, str]:
    """Make the confirmed key: the one moment in which its secret is seen.

    Raises Denied to everybody but who asked, WrongState where nobody confirmed it, too long ago, or it was taken.
    """
    with transaction.atomic():
        fresh = _rows().select_for_update(of=("self",)).get(pk=request.pk)
        if not may_take(fresh, by):
            record_refusal("platform.ask_key", by=by, about=fresh, reason="no_right")
            raise Denied("no_right")
        proposal = proposal_of(fresh)
        if proposal is None or proposal.state != State.PERFORMED or proposal.decided_at is None:
            raise WrongState(str(_("Nobody confirmed this key yet.")))
        if fresh.key_id is not None:
            raise WrongState(str(_("The secret was shown already. If nobody kept it, revoke the key.")))
        if proposal.decided_at < timezone.now() - _take_within():
            raise WrongState(str(_("This key was confirmed too long ago. Ask for it again.")))
        if unmet := _unmet(fresh):
            raise ConditionsNotMet(unmet)
        fresh.key, secret = _made(fresh, by=by, proposal=str(proposal.pk))
        fresh.save(update_fields=["key"])
        tell(fresh.key)
    return fresh.key, secret


def may_take(request: KeyRequest, user: User) -> bool:
    """Whoever asked, under any sign-in."""
    return request.asked_by.human_id == user.human_id and _may_ask(request, user)


def may_see_proposal(request: KeyRequest, user: User) -> bool:
    """Whoever asked, and who may decide: not whoever the key would count as."""
    return may_take(request, user) or _may_confirm(request, user)


def is_ready(request: KeyRequest, proposal: Proposal | None) -> bool:
    """Whether the secret waits to be shown."""
    if proposal is None or proposal.decided_at is None or proposal.state != State.PERFORMED:
        return False
    return request.key_id is None and proposal.decided_at >= timezone.now() - _take_within()


def proposal_of(request: KeyRequest) -> Proposal | None:
    """The proposal on this request: there is one."""
    found: Proposal | None = Proposal.objects.filter(act=ACT, subject_id=request.pk).select_related("checker").first()
    return found


def waiting() -> QuerySet[KeyRequest]:
    """What waits for a second person, or for whoever asked to have the secret shown. For those with the right."""
    taken_within = Q(state=State.PERFORMED, decided_at__gte=timezone.now() - _take_within())
    proposals = Proposal.objects.filter(Q(state=State.PARKED) | taken_within, act=ACT, subject_id=OuterRef("pk"))
    return _rows().filter(Exists(proposals), key=None).order_by("created_at")


def _rows() -> QuerySet[KeyRequest]:
    return KeyRequest.objects.select_related("owner", "licensee", "asked_by", "former__owner", "key")


def _take_within() -> timedelta:
    return staff_rules(on=timezone.localdate()).keys.take_within


def _require_one_is_enough(licensee: Licensee, scopes: Sequence[str]) -> None:
    need = need_of(licensee, scopes)
    if need.two:
        raise SecondPersonNeeded(need.why)


def _asked(request: KeyRequest, *, by: User, reason: str, note: str) -> KeyRequest:
    request.save(force_insert=True)
    details = {
        "owner": str(request.owner_id),
        "licensee": request.licensee.slug,
        "scopes": request.scopes,
        "expires_at": request.expires_at,
        "former": request.former.prefix if request.former else "",
        "signs": request.signs,
        "name": request.name,
    }
    record("platform.ask_key", by=by, about=request, details=details)
    propose(ACT, request, by=by, reason=reason, note=note)
    return request


def _made(request: KeyRequest, *, by: User, proposal: str) -> tuple[ApiKey, str]:
    made: dict[str, Any] = {"signs": request.signs, "created_by": by, "by": by, "proposal": proposal}
    if request.former is not None and request.overlap is not None:
        return services.rotate_key(request.former, overlap=request.overlap, **made)
    asked = ("owner", "licensee", "name", "scopes", "expires_at", "rate_per_minute")
    facts = {name: getattr(request, name) for name in asked}
    return services.issue_key(**facts, **made)


def _may_ask(request: KeyRequest, user: Any) -> bool:
    return isinstance(user, User) and user.is_active and user.has_perm(RIGHT)


def _may_confirm(request: KeyRequest, user: Any) -> bool:
    """Not whoever the key counts as, under any sign-in; that it is not the maker either is asked of every proposal."""
    return _may_ask(request, user) and user.human_id != request.owner.human_id


def _visible(user: Any) -> Any:
    rows = KeyRequest.objects.exclude(owner__human=user.human_id)
    return (rows if user.has_perm(RIGHT) else rows.none()).values_list("pk", flat=True)


def _unmet(request: KeyRequest, **inputs: Any) -> list[str]:
    """What may have changed while it waited, too: asked when it is proposed, confirmed and taken."""
    found = []
    if request.owner.human_id == request.asked_by.human_id:
        found.append(_("Somebody else has to answer for the key."))
    if not request.owner.is_active:
        found.append(_("owner: this person is not active."))
    if request.expires_at is not None and request.expires_at <= timezone.now():
        found.append(_("expires_at: choose a day in the future."))
    if request.former is not None and not (request.former.is_active and request.former.replaced_by_id is None):
        found.append(_("This key no longer works, or was replaced already."))
    return found


def _allow(request: KeyRequest, *, proposal: str | None = None, **facts: Any) -> None:
    """Nothing moves here: the performed proposal is what `take` asks for."""
    require_second_person(ACT, request, proposal=proposal)
    if unmet := _unmet(request):
        raise ConditionsNotMet(unmet)


def facts_of(request: KeyRequest) -> Sequence[tuple[str | Promise, str | Promise]]:
    """Label and value of what the second person sees before the button."""
    found: list[tuple[str | Promise, str | Promise]] = [
        (_("What uses it"), request.name),
        (_("Licensee"), request.licensee.name),
        (_("Owner"), request.owner.name),
        (_("What it may do"), ", ".join(request.scopes)),
        (_("Its requests"), _("Signed, each of them") if request.signs else _("Not signed")),
    ]
    if request.expires_at is not None:
        found.append((_("Ends"), full_moment(request.expires_at)))
    if request.former is not None and request.overlap is not None:
        hours = request.overlap // timedelta(hours=1)
        found.append((_("Replaces"), request.former.prefix))
        days = round((request.former.expires_at - request.former.created_at) / timedelta(days=1))
        found.append((_("Works from then on for"), ngettext("%(n)d day", "%(n)d days", days) % {"n": days}))
        found.append((_("The former key still works for"), ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}))
    return found


def _digest(request: KeyRequest) -> bytes:
    names = (
        "owner_id",
        "licensee_id",
        "name",
        "scopes",
        "expires_at",
        "former_id",
        "overlap",
        "signs",
        "rate_per_minute",
    )
    return sha256(canonical({name: str(getattr(request, name)) for name in names})).digest()


def _consequence(request: KeyRequest, **inputs: Any) -> str:
    days = _take_within().days
    said = ngettext(
        "Whoever asked can have the secret shown, once, within %(n)d day. The key works from then on.",
        "Whoever asked can have the secret shown, once, within %(n)d days. The key works from then on.",
        days,
    )
    return said % {"n": days}


acts.register(
    acts.Act(
        name=ACT,
        title=gettext_lazy("Give an API key with wide scopes"),
        run=_allow,
        load=lambda pk: _rows().select_for_update(of=("self",)).get(pk=pk),
        digest=_digest,
        may_propose=_may_ask,
        may_confirm=_may_confirm,
        visible=_visible,
        need=lambda request, **inputs: need_of(request.licensee, request.scopes),
        unmet=_unmet,
        facts=facts_of,
        reason_text=lambda code: REASONS.get(code, code),
        consequence=_consequence,
        subject_url=lambda request: reverse("platform:keys:asked", args=[request.pk]),
    )
)
