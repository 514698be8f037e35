"""How a case is handled, for its page and for lists."""

from collections.abc import Mapping
from typing import Any

from django.template import Library

from cases import priority, snooze
from cases.assignment import candidates
from cases.glass import services as exceptions
from cases.handling_forms import LinkForm
from cases.macros.models import Macro
from cases.models import PRIORITIES, Case
from cases.permissions import DECIDE, VIEW, WORK, may
from cases.presence import services as presence
from cases.relations import merging
from cases.relations.models import Watcher
from cases.relations.services import links_of
from cases.tags import services as tags

register = Library()


@register.filter
def of(by_key: Mapping[Any, Any], key: Any) -> Any:
    """What a mapping holds under a key; nothing for none."""
    return by_key.get(key, ()) if by_key else ()


@register.filter
def at(by_key: Mapping[Any, Any], key: Any) -> Any:
    """What a mapping holds under a key, or None."""
    return by_key.get(key) if by_key else None


@register.inclusion_tag("cases/_present.html")
def present_at(case: Case, user: Any) -> dict[str, Any]:
    """Who else looks at the case, and that this person does."""
    presence.look(case, by=user)
    return {"number": case.number, "present": presence.others(case, user=user)}


@register.inclusion_tag("cases/_standing.html", takes_context=True)
def standing_of(context: Any, case: Case, user: Any) -> dict[str, Any]:
    """What one has to know before anything else: snoozed, merged, restricted."""
    merged = merging.merged_into(case)
    return {
        "case": case,
        "csrf_token": context.get("csrf_token"),
        "merged": merged,
        "sees_other": merged is not None and may(user, VIEW, merged.target),
        "taken_in": [one for one in merging.taken_in(case) if may(user, VIEW, one.source)],
        "may_undo": merged is not None and may(user, DECIDE, merged.target),
        "may_work": may(user, WORK, case),
        "exception": exceptions.running_on(case, user),
        "because": snooze.REASONS.get(case.snoozed_because, ""),
    }


@register.inclusion_tag("cases/_handling.html", takes_context=True)
def handling_of(context: Any, case: Case, user: Any) -> dict[str, Any]:
    """The panel: whose it is, priority, snoozing, tags, links."""
    works, open_now = may(user, WORK, case), case.closed_at is None
    has = [one.tag for one in case.tagged.select_related("tag").order_by("tag__name")]
    others = Case.objects.visible_to(user).filter(customer_id=case.customer_id, kind=case.kind, merged_into=None)
    return {
        "case": case,
        "user": user,
        "csrf_token": context.get("csrf_token"),
        "works": works,
        "open_now": open_now,
        "people": candidates(case) if works and open_now else [],
        "priorities": PRIORITIES,
        "lowered": list(priority.LOWERED_BECAUSE.items()),
        "raised": [priority.rules()[code].title for code in case.raised_by if code in priority.rules()],
        "tags": has,
        "offered": [tag for tag in tags.offered(case.licensee) if tag not in has] if works else [],
        "follows": Watcher.objects.filter(case_id=case.pk, user=user).exists(),
        "links": links_of(case, user=user),
        "link_form": LinkForm(auto_id="link_%s"),
        "mergeable": list(others.filter(closed_at=None).exclude(pk=case.pk)[:5]) if works else [],
        "may_restrict": may(user, DECIDE, case),
        "macros": list(Macro.objects.visible_to(user)) if works and open_now else [],
    }
