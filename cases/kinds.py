"""The kinds of case. A kind is a folder under cases/types/ that registers itself here; the engine knows none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.apps import apps
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Step:
    """A button of the case page: where it goes, what it says, and whether it acts at once (`post`) or opens a page.

    `primary` is the one thing to do now. A case that waits for somebody else has no such step. What is `rare` stands
    behind "More" in the decision panel.
    """

    url: str
    label: str | Promise
    icon: str = ""
    post: bool = False
    primary: bool = False
    rare: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` is the word used everywhere; `prefix` starts tracking numbers; `panel` is the decision panel's template.

    `new_label` is what the button says that leads to `new_url`; `steps(case, user)` is what the user may do next;
    `checks(case)` the rows of "What is missing"; `offers(case)` the pairs of purpose and document type that the case
    takes; `facts(case)` the player's declared data, masked; `arrived(case, evidence, by=)` is told of new evidence;
    `told(case, purpose, code)` is what the player will read for a reason. `age(evidence, issued_on, on)` says until
    when a file accepted on that day proves anything by policy (None: as long as the paper), and why it is too old.
    `ruled(case, evidence, by=)` is told of every verdict, in its transaction.
    `routine(account)` opens one as the product does for players drawn by chance: it asks for papers.
    `take_over(account, given, opened_on, by=)` opens one that a former system had begun, by the `taken_columns` of its
    file (texts, empty where absent); None: such cases do not come in.
    `judged` names the outcomes that somebody judged by what was handed in: of these a share is looked at again.
    `by_exception`: a restricted case of it may be opened by exception (cases/glass); never where that would tell of a
    suspicion.
    """

    name: str
    title: str | Promise
    prefix: str
    model: type[Any]
    steps: Callable[[Any, Any], list[Step]]
    checks: Callable[[Any], list[Any]]
    offers: Callable[[Any], list[tuple[str, str]]]
    facts: Callable[[Any], list[Any]]
    arrived: Callable[..., Any]
    told: Callable[[Any, str, str], Any]
    panel: str
    new_url: str
    new_label: str | Promise
    age: Callable[[Any, date | None, date], tuple[date | None, list[str]]] = lambda evidence, issued_on, on: (None, [])
    judged: Callable[[], list[tuple[str, Any]]] = list
    routine: Callable[[Any], Any] | None = None
    take_over: Callable[..., Any] | None = None
    taken_columns: tuple[str, ...] = ()
    by_exception: bool = False
    ruled: Callable[..., Any] = lambda case, evidence, by: None


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    if kind.name in _kinds:
        raise ValueError(f"The kind {kind.name} is registered twice")
    _kinds[kind.name] = kind


def lookup(name: str) -> Kind:
    return _kinds[name]


def kinds() -> Mapping[str, Kind]:
    return dict(_kinds)


def everyday() -> list[str]:
    """Names of the kinds whose cases tell of no suspicion."""
    return [kind.name for kind in _kinds.values() if kind.by_exception]


def case_model() -> Any:
    return apps.get_model("cases", "Case")
