"""What templates use to look alike: icons, states, due times, formats. Built into every template, so no page loads it.

To add a state: 1. pick a shape that already means it (docs/explanation/look.md; a shape never changes meaning),
2. give it a row in STATES, 3. run tests/browser/test_look.py, which asks every state of the product for its row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.forms import BoundField, CheckboxInput, Field, RadioSelect, Textarea
from django.forms.widgets import ChoiceWidget, Select
from django.http import HttpRequest
from django.template import Context, Library
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from compliance import formats

register = Library()

# fmt: off
ICONS: Final = frozenset({
    "scales", "search", "bell", "plus", "cross", "check", "chevron", "down", "up", "filter", "columns",
    "export", "upload", "copy", "send", "note", "phone", "doc", "eye", "lock", "rotate", "fit", "twoup",
    "history", "menu", "more", "camera", "key", "print", "gear",
})
# fmt: on
# Only what points along the line of writing turns round in a right-to-left language.
FLIPPED: Final = frozenset({"chevron", "send"})
ONE_LINE: Final = 24  # characters that fit into a card of 320 px in either script
SHAPES: Final = frozenset({"none", "half", "wait", "sleep", "due", "late", "again", "done", "no", "pair"})


@dataclass(frozen=True)
class State:
    """How a state is shown: its shape, its tone (a class of `.st`) and its word."""

    shape: str
    tone: str
    word: str | Promise


STATES: Final[Mapping[str, State]] = {
    # a case of any kind; "closed" is followed by its outcome
    "open": State("none", "plain", pgettext_lazy("state", "New")),
    "in_review": State("half", "go", pgettext_lazy("state", "In review")),
    "waiting": State("again", "", pgettext_lazy("state", "Waiting for the player")),
    "closed": State("done", "plain", pgettext_lazy("state", "Closed")),
    "proposed": State("pair", "pair", pgettext_lazy("state", "Waiting for approval")),
    # outcomes of a verification
    "approved": State("done", "good", pgettext_lazy("state", "Approved")),
    "rejected": State("no", "bad", pgettext_lazy("state", "Refused")),
    "lapsed": State("sleep", "", pgettext_lazy("state", "Lapsed")),
    "withdrawn": State("done", "", pgettext_lazy("state", "Withdrawn")),
    "underage": State("no", "bad", pgettext_lazy("state", "Under age")),
    "deceased": State("done", "", pgettext_lazy("state", "Deceased")),
    "impersonated": State("no", "bad", pgettext_lazy("state", "Impersonated")),
    # outcomes of a request about play, and how an exclusion stands
    "kept_out": State("done", "good", pgettext_lazy("state", "Kept out of play")),
    "let_back": State("done", "plain", pgettext_lazy("state", "May play again")),
    "stayed_out": State("done", "", pgettext_lazy("state", "Stays out of play")),
    "cared_for": State("done", "good", pgettext_lazy("state", "Talked with the player")),
    "written_to": State("done", "plain", pgettext_lazy("state", "Written to")),
    "annulled": State("no", "", pgettext_lazy("state", "Annulled")),
    "active": State("wait", "go", pgettext_lazy("state", "In force")),
    "persisting": State("wait", "go", pgettext_lazy("state", "In force after its term")),
    "return_requested": State("again", "", pgettext_lazy("state", "Return asked for")),
    "cooling": State("sleep", "", pgettext_lazy("state", "Time to reflect")),
    "campaign.drafted": State("none", "", pgettext_lazy("state", "Not started")),
    "campaign.running": State("half", "go", pgettext_lazy("state", "Running")),
    "campaign.paused": State("sleep", "soon", pgettext_lazy("state", "Paused")),
    "campaign.done": State("done", "good", pgettext_lazy("state", "Done")),
    "campaign.stopped": State("no", "", pgettext_lazy("state", "Stopped")),
    # an act of care that began by itself
    "careaction.asked": State("none", "plain", pgettext_lazy("state", "To be done")),
    "careaction.done": State("done", "good", pgettext_lazy("state", "Done")),
    "careaction.waiting": State("due", "soon", pgettext_lazy("state", "Waits for a look")),
    "careaction.reviewed": State("done", "plain", pgettext_lazy("state", "Looked at")),
    "careaction.dropped": State("no", "", pgettext_lazy("state", "Not needed")),
    "careaction.right": State("done", "good", pgettext_lazy("state", "Right")),
    "careaction.more": State("done", "go", pgettext_lazy("state", "More was needed")),
    "careaction.not_right": State("no", "bad", pgettext_lazy("state", "Not right")),
    "limitchange.requested": State("none", "plain", pgettext_lazy("state", "Asked for")),
    "limitchange.waiting": State("sleep", "", pgettext_lazy("state", "Time to reflect")),
    "confirmable": State("due", "soon", pgettext_lazy("state", "Player to confirm")),
    "effective": State("done", "good", pgettext_lazy("state", "In force")),
    "cancelled": State("no", "", pgettext_lazy("state", "Cancelled")),
    "blocked": State("no", "bad", pgettext_lazy("state", "Blocked")),
    "ended": State("done", "", pgettext_lazy("state", "Ended")),
    # a monitoring rule
    "shadow": State("half", "", pgettext_lazy("state", "In the shadow")),
    "live": State("done", "good", pgettext_lazy("state", "Live")),
    "retired": State("sleep", "", pgettext_lazy("state", "Retired")),
    # evidence: what one document proves
    "missing": State("none", "", pgettext_lazy("state", "Missing")),
    "pending": State("half", "go", pgettext_lazy("state", "To be judged")),
    "accepted": State("done", "plain", pgettext_lazy("state", "Accepted")),
    "returned": State("again", "", pgettext_lazy("state", "Asked again")),
    "superseded": State("sleep", "", pgettext_lazy("state", "Replaced")),
    "expired": State("late", "bad", pgettext_lazy("state", "Expired")),
    # an electronic check
    "check.asked": State("wait", "go", pgettext_lazy("state", "Asked")),
    "check.failed": State("late", "bad", pgettext_lazy("state", "Could not be asked")),
    # two entries that may be one person
    "link.found": State("half", "go", pgettext_lazy("state", "May be the same person")),
    "link.linked": State("done", "plain", pgettext_lazy("state", "The same person")),
    "link.dismissed": State("done", "", pgettext_lazy("state", "Two persons")),
    "link.parted": State("no", "", pgettext_lazy("state", "Two persons after all")),
    "duplicate.cleared": State("done", "", pgettext_lazy("state", "Somebody else")),
    "duplicate.confirmed": State("done", "bad", pgettext_lazy("state", "The same person")),
    "duplicate.over": State("sleep", "", pgettext_lazy("state", "Over")),
    # what somebody looked at
    "fact.wrong": State("late", "bad", pgettext_lazy("state", "Not in order")),
    "opening.waiting": State("due", "", pgettext_lazy("state", "Waits for its review")),
    "justified": State("done", "plain", pgettext_lazy("state", "Justified")),
    "unjustified": State("late", "bad", pgettext_lazy("state", "Not justified")),
    # a document in the vault
    "received": State("half", "", pgettext_lazy("state", "Being checked")),
    "ready": State("done", "plain", pgettext_lazy("state", "Ready")),
    "quarantined": State("no", "bad", pgettext_lazy("state", "In quarantine")),
    "unscannable": State("late", "bad", pgettext_lazy("state", "Could not be checked")),
    "destroyed": State("no", "", pgettext_lazy("state", "Destroyed")),
    # a proposal (four eyes)
    "parked": State("pair", "pair", pgettext_lazy("state", "Waiting for approval")),
    "performed": State("done", "plain", pgettext_lazy("state", "Performed")),
    "voided": State("no", "", pgettext_lazy("state", "Void: the evidence changed")),
    "proposal.returned": State("again", "", pgettext_lazy("state", "Sent back")),
    "proposal.expired": State("late", "bad", pgettext_lazy("state", "Expired")),
    # a change of the rules
    "draft": State("none", "plain", pgettext_lazy("state", "Draft")),
    # a second look at a closed case
    "drawn": State("none", "", pgettext_lazy("state", "Waits for a second look")),
    "agreed": State("done", "plain", pgettext_lazy("state", "Same verdict")),
    "disagreed": State("late", "bad", pgettext_lazy("state", "Another verdict")),
    "settled": State("done", "", pgettext_lazy("state", "Settled")),
    # a delivery to the platform
    "delivery.delivered": State("done", "good", pgettext_lazy("state", "Delivered")),
    "delivery.given_up": State("late", "bad", pgettext_lazy("state", "Given up")),
    "delivery.retrying": State("again", "", pgettext_lazy("state", "Tried again")),
    "delivery.waiting": State("due", "", pgettext_lazy("state", "Waits")),
    # what came of a contact
    "answered": State("done", "plain", gettext_lazy("Answered")),
    "passed_on": State("half", "", gettext_lazy("Passed on")),
    "call_back": State("due", "", gettext_lazy("Call-back promised")),
    "waits": State("wait", "", gettext_lazy("Waits for the player")),
    "exclusion_offered": State("done", "plain", gettext_lazy("Exclusion offered")),
    "no_answer": State("none", "", gettext_lazy("Nobody answered")),
    # an investigation of the AML side, and what is frozen in it
    "triage": State("none", "plain", pgettext_lazy("state", "To be looked at")),
    "investigating": State("half", "go", pgettext_lazy("state", "Investigated")),
    "awaiting": State("wait", "", pgettext_lazy("state", "Waits for documents")),
    "with_mlro": State("pair", "pair", pgettext_lazy("state", "With the reporting officer")),
    "reporting": State("half", "go", pgettext_lazy("state", "Being reported")),
    "post_report": State("done", "good", pgettext_lazy("state", "Reported, watched on")),
    "merged": State("sleep", "", pgettext_lazy("state", "Merged into another")),
    "unfounded": State("done", "plain", pgettext_lazy("state", "Unfounded")),
    "explained": State("done", "plain", pgettext_lazy("state", "Explained")),
    "monitored": State("done", "", pgettext_lazy("state", "Watched on, not reported")),
    "reported": State("done", "good", pgettext_lazy("state", "Reported")),
    "relationship_ended": State("no", "", pgettext_lazy("state", "Relationship ended")),
    "placed": State("pair", "pair", pgettext_lazy("state", "Waits for a second person")),
    "overdue": State("late", "bad", pgettext_lazy("state", "No second look in time")),
    "seconded": State("done", "plain", pgettext_lazy("state", "Seen by two")),
    "playermark.set": State("done", "", pgettext_lazy("state", "Marked")),
    "lifted": State("sleep", "", pgettext_lazy("state", "Lifted")),
    # a report to the authority
    "submitting": State("half", "go", pgettext_lazy("state", "Being filed")),
    "uncertain": State("late", "bad", pgettext_lazy("state", "Uncertain whether it arrived")),
    "submitted": State("done", "plain", pgettext_lazy("state", "Filed")),
    "not_filed": State("no", "", pgettext_lazy("state", "Not filed")),
    # an entry of the log
    "verified": State("done", "good", pgettext_lazy("state", "Verified")),
    "next_run": State("due", "", pgettext_lazy("state", "Next run")),
    "broken": State("late", "bad", pgettext_lazy("state", "Broken")),
    "refused": State("no", "bad", pgettext_lazy("state", "Refused")),
    "sent": State("done", "plain", pgettext_lazy("state", "Sent")),
    # a letter that came by e-mail, and its files
    "unmatched": State("none", "", pgettext_lazy("state", "Belongs to no case yet")),
    "matched": State("done", "plain", pgettext_lazy("state", "Put to a case")),
    "discarded": State("no", "", pgettext_lazy("state", "Set aside")),
    "held": State("wait", "", pgettext_lazy("state", "Waits")),
}


def state_of(key: str) -> State:
    """The row of "proposal.returned", else of "returned". An unknown state is an error: it would show as nothing."""
    name = str(key)
    found = STATES.get(name) or STATES.get(name.rpartition(".")[2])
    if found is None:
        raise ValueError(f"state: {name!r} has no row in compliance.look.STATES. Add one: shape, tone and word.")
    return found


@lru_cache(maxsize=4)
def _sprite(prefix: str) -> str:
    """Where the icons are. `prefix`: where the product is mounted, on which it depends. A list shows a hundred."""
    return str(static("icons.svg"))


def _symbol(symbol: str, css: str, label: str) -> SafeString:
    href = f"{_sprite(get_script_prefix())}#{symbol}"
    if label:
        return format_html('<svg class="{}" role="img" aria-label="{}"><use href="{}"/></svg>', css, label, href)
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>', css, href)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite. It stands beside a word, or carries a label of its own."""
    if name not in ICONS:
        raise ValueError(f"icon: {name!r} is not in static/icons.svg. Use one of: {', '.join(sorted(ICONS))}.")
    return _symbol(f"i-{name}", "i flip" if name in FLIPPED else "i", label)


@register.simple_tag
def shape(name: str) -> SafeString:
    """The shape of a state; the word stands beside it."""
    if name not in SHAPES:
        raise ValueError(f"shape: {name!r} is not in static/icons.svg. Use one of: {', '.join(sorted(SHAPES))}.")
    return _symbol(f"g-{name}", "g", "")


@register.simple_tag
def state(key: str, word: str = "", badge: bool = False) -> SafeString:
    """A state as shape, word and colour. `word` replaces the usual word, never the shape."""
    row = state_of(key)
    css = " ".join(part for part in ("st", row.tone, "badge" if badge else "") if part)
    return format_html('<span class="{}">{}{}</span>', css, shape(row.shape), word or row.word)


@register.simple_tag
def due(
    due_at: datetime | None, since: datetime | None = None, paused: bool = False, now: datetime | None = None
) -> dict[str, Any] | None:
    """What `components/_due.html` shows: {when, shape, tone, words}; None without a due time.

    Late is red, due within a quarter of the time between `since` and `due_at` is amber, everything else plain ink.
    """
    if due_at is None:
        return None
    now = now or datetime.now(UTC)
    if paused:
        return {"at": due_at, "when": _("Paused"), "shape": "wait", "tone": "", "words": _("Waiting for the player")}
    left = due_at - now
    shown = {"at": due_at, "when": formats.near_moment(due_at, now=now)}
    words = {"time": formats.length(left)}
    if left <= timedelta():
        return {**shown, "shape": "late", "tone": "bad", "words": _("%(time)s late") % words}
    soon = since is not None and left <= (due_at - since) / 4
    return {**shown, "shape": "due", "tone": "soon" if soon else "", "words": _("%(time)s left") % words}


@register.simple_tag
def directory() -> str:
    """What the button of the operator's own directory says; empty where staff do not sign in with one."""
    return str(settings.OIDC_NAME) if settings.OIDC_ISSUER else ""


@register.simple_tag
def number_name(number: str) -> SafeString:
    """A tracking number: always left to right, never broken over lines."""
    return ltr(number)


@register.filter
def ltr(value: object) -> SafeString:
    """Phone, number, reference, file name, IBAN, digest: written left to right in every language.

    It stays on one line while it is short; a long one (an address, a path) breaks rather than widening a narrow page.
    """
    if len(str(value)) > ONE_LINE:
        return format_html('<bdi dir="ltr" class="long">{}</bdi>', value)
    return format_html('<bdi dir="ltr">{}</bdi>', value)


@register.filter
def when(moment: datetime | None, now: datetime | None = None) -> SafeString | str:
    """A moment as people say it ("Bugün 12:50"), as <time>, with day, time and zone in its title."""
    if moment is None:
        return ""
    return _time(moment, formats.near_moment(moment, now=now or datetime.now(UTC)))


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """A moment in full, with its zone: "21 Kas 2026 17:05 İstanbul (UTC+3)"."""
    return "" if value is None else _time(value, formats.full_moment(value))


@register.filter
def clock(value: datetime | None) -> SafeString | str:
    return "" if value is None else _time(value, formats.clock(value))


@register.filter
def stamp(value: datetime | None) -> SafeString | str:
    """Digits only, for the log: "2026-11-21 07:42:18" in the active zone, which the column names."""
    return "" if value is None else format_html('<bdi dir="ltr">{}</bdi>', _time(value, formats.stamp(value)))


@register.filter
def utc(value: datetime | None) -> str:
    """Digits only and UTC, whoever looks: for files that leave the house."""
    return "" if value is None else formats.stamp(value, zone=UTC)


def _time(value: datetime, text: str) -> SafeString:
    return format_html('<time datetime="{}" title="{}">{}</time>', formats.iso(value), formats.full_moment(value), text)


@register.filter
def day(value: date | datetime | None) -> str:
    return "" if value is None else formats.day(value)


@register.filter
def iso(value: date) -> str:
    """A day for machines, in addresses and files: "2026-11-22"."""
    return value.isoformat()


@register.filter
def day_heading(value: date | datetime | None, now: datetime | None = None) -> str:
    """The heading of a day in a history: "Bugün, 21 Kas 2026"."""
    return "" if value is None else formats.near_day(value, now=now or datetime.now(UTC))


@register.filter
def age(value: datetime | None, now: datetime | None = None) -> str:
    """How long ago: "19 sa.", "3 gün"."""
    return "" if value is None else formats.length((now or datetime.now(UTC)) - value)


@register.filter
def span(value: timedelta | None) -> str:
    """A length of time: "2 sa. 10 dk."; a dash for none."""
    return "–" if value is None else formats.length(value)


@register.filter
def size(value: int | None) -> str:
    """Bytes as people read them: "2,1 MB"."""
    return "" if value is None else formats.size(value)


@register.filter
def number(value: float | None) -> str:
    return "" if value is None else formats.number(value)


@register.filter
def counted(value: int) -> str:
    """A count that stops at formats.COUNTED: "1,000+"."""
    return f"{formats.number(formats.COUNTED)}+" if value > formats.COUNTED else formats.number(value)


@register.filter
def percent(value: float | None) -> str:
    """A share of one as per cent."""
    return "" if value is None else formats.percent(value)


@register.simple_tag
def money(minor: int, currency: str) -> SafeString:
    """Integer minor units and an ISO 4217 code."""
    return ltr(formats.money(minor, currency))


@register.simple_tag
def zone() -> str:
    """The zone in which this page shows times: "İstanbul (UTC+3)"."""
    return formats.zone_name()


@register.simple_tag(takes_context=True)
def came_from(context: Context) -> str:
    """The page of ours that the person came from, else the start: where an error page leads back to."""
    request: HttpRequest | None = context.get("request")
    referrer = request.headers.get("Referer", "") if request else ""
    if request and url_has_allowed_host_and_scheme(referrer, {request.get_host()}, require_https=request.is_secure()):
        return referrer
    return "/"


@register.filter
def direction(language: str) -> str:
    """ "rtl" or "ltr", for a snippet in another language than the page."""
    try:
        return "rtl" if get_language_info(language)["bidi"] else "ltr"
    except KeyError:
        return "ltr"


# ------------------------------------------------------------------------------------------------------ forms
@register.filter
def control(field: BoundField, hint: str = "own") -> SafeString:
    """The widget of a field in our look. The label and the hint say what to write, so a placeholder is dropped.

    `hint`: "own" for the field's help text, "given" for one that the page wrote, "none" where it shows neither.
    """
    widget = field.field.widget
    attrs: dict[str, Any] = {"placeholder": False}
    if not isinstance(widget, CheckboxInput) and not (
        isinstance(widget, ChoiceWidget) and not isinstance(widget, Select)
    ):
        attrs["class"] = f"{widget.attrs.get('class', '')} in".strip()
    if isinstance(widget, Textarea) and widget.attrs.get("rows") in (None, "10"):
        attrs["rows"] = 4  # Django's ten lines invite an essay nobody reads
    if hint == "given":
        attrs["aria-describedby"] = f"{field.auto_id}_helptext" + (f" {field.auto_id}_error" if field.errors else "")
    elif hint == "none":
        field.help_text = ""  # else Django would point a screen reader at a text that is not there
    return field.as_widget(attrs=attrs)


@register.filter
def is_check(field: BoundField) -> bool:
    """One box to tick: its label stands after it."""
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def is_choice(field: BoundField) -> bool:
    """One of few, shown as `.opts`."""
    return isinstance(field.field.widget, RadioSelect)


@register.filter
def wrongs(field: BoundField) -> list[str]:
    """What is wrong with a field, in the same words above the form and at it.

    An empty field is named by its label, unless it has words of its own for that.
    """
    said = []
    for error in field.errors.as_data():
        if error.code == "required" and error.message == Field.default_error_messages["required"]:
            said.append(_("%(field)s: fill this in.") % {"field": field.label})
        else:
            said.extend(str(message) for message in error.messages)
    return said
