"""The acts that may need two persons.

To add one:
1. write the act's function in your package's services; its first line is `require_second_person(...)` of queries.py;
2. `register(Act(...))` in a module that your AppConfig.ready() imports;
3. let policy name it (four_eyes in the jurisdiction's file).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.functional import Promise

from compliance.policy.schema import Need

Words = str | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One heavy act and what a second person must know of it. `subject` is the object acted on; its key is a UUID.

    name         "verification.approve": also the name that policy uses
    title        in the imperative, for lists and buttons
    run          run(subject, *, by, reason, proposal, maker, **inputs): performs it; `by` is the second person,
                 `proposal` the proposal's id and `maker` the first person's actor as text, for the entry's details
    load         load(id): the subject, fresh and locked (SELECT ... FOR UPDATE); raises its DoesNotExist
    digest       digest(subject): bytes that change with the evidence the decision rests on, and with nothing else
    seen         seen(subject): the same evidence item by item, as ids and digests, so that one can say what changed
    change_text  change_text(item, before, now): in words what became of one item of `seen`; None where it was not there
    may_propose, may_confirm   of (subject, user)
    visible      visible(user): ids of the subjects on which the user may confirm, as one lazy queryset
    sees         sees(subject, user): whether the user may know of the subject at all; who may confirm unless it says
                 otherwise
    names        names(subject, user): whether the maker may be told who could decide, to name one; not where their
                 names would tell of what the maker may not know
    need         need(subject, **inputs): whether two are needed, and why in words
    unmet        unmet(subject, **inputs): what is still missing before it can be proposed, in words
    facts        facts(subject): label and value of what the second person should see before the button
    reason_text  reason_text(code): the reason in words
    consequence  consequence(subject, **inputs): what will happen, in words
    subject_url  the subject's own page
    url_for      url_for(subject, user): the same, where the page depends on what this person may see
    sealed       names of the inputs that are free text: kept sealed under the subject's key
    expires      how long it may wait
    in_bulk      whether it may be asked for on many subjects at once, each with a proposal of its own
    submit       submit(subject, *, by, reason, note, seen): how it is asked for then: the proposal, or what was done
                 where policy asks for one person; `seen` is the hex digest of the evidence that `by` looked at
    reasons      the codes and words one may choose from when it is asked for so
    log          log(subject): in whose log its proposals stand, "main" or "aml". Those of the AML side are listed, read
                 and decided under /aml/ only; for everybody else there are none
    """

    name: str
    title: Words
    run: Callable[..., Any]
    load: Callable[[Any], Any]
    digest: Callable[[Any], bytes]
    may_propose: Callable[[Any, Any], bool]
    may_confirm: Callable[[Any, Any], bool]
    visible: Callable[[Any], Iterable[Any]]
    need: Callable[..., Need]
    consequence: Callable[..., Words]
    subject_url: Callable[[Any], str]
    unmet: Callable[..., Sequence[str]] = lambda subject, **inputs: ()
    facts: Callable[[Any], Sequence[tuple[Words, Words]]] = lambda subject: ()
    reason_text: Callable[[str], Words] = str
    seen: Callable[[Any], Mapping[str, str]] = lambda subject: {}
    change_text: Callable[[str, str | None, str | None], Words] = lambda item, before, now: item
    url_for: Callable[[Any, Any], str] | None = None
    sees: Callable[[Any, Any], bool] | None = None
    names: Callable[[Any, Any], bool] = lambda subject, user: True
    sealed: frozenset[str] = frozenset()
    expires: timedelta = timedelta(days=3)
    in_bulk: bool = False
    submit: Callable[..., Any] | None = None
    reasons: Callable[[], Sequence[tuple[str, Words]]] = tuple
    log: Callable[[Any], str] = lambda subject: "main"

    def page_of(self, subject: Any, user: Any) -> str:
        """Where this person looks at the subject."""
        return self.url_for(subject, user) if self.url_for else self.subject_url(subject)

    def is_known_to(self, subject: Any, user: Any) -> bool:
        """Whether this person may learn that there is something to decide."""
        return self.sees(subject, user) if self.sees else self.may_confirm(subject, user)


class UnknownAct(LookupError):
    """No package registered an act of this name."""


_acts: dict[str, Act] = {}


def register(*acts: Act) -> None:
    for act in acts:
        if act.name in _acts:
            raise ValueError(f"The act {act.name} is registered twice")
        _acts[act.name] = act


def lookup(name: str) -> Act:
    try:
        return _acts[name]
    except KeyError:
        raise UnknownAct(f"{name} was registered by no package") from None


def acts() -> Mapping[str, Act]:
    return dict(_acts)
