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


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    if kind.name in _kinds:
        raise ValueError(f"The kind {kind.name} is registered twice")
    _kinds[kind.name] = kind


def lookup(name: str) -> Kind:
    return _kinds[name]


def kinds() -> Mapping[str, Kind]:
    return dict(_kinds)


def case_model() -> Any:
    return apps.get_model("cases", "Case")
