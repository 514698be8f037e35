"""The actions that the log knows.

To add an action:
1. declare it in your package's `actions.py` with `register(Action(...))`: name `package.verb`, the sentence that
   presents it, its fields;
2. class each field PUBLIC (anybody who may read the log), SEALED (under the subject's key) or OMIT (never written);
   free text is SEALED;
3. translate the sentence. Nothing else: `record` refuses actions and fields that are not declared, a test lists what
   is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.functional import Promise


class Kept(StrEnum):
    PUBLIC = "public"
    SEALED = "sealed"
    OMIT = "omit"


class UnregisteredAction(LookupError):
    """An action that no package declared. Declare it in the package's actions.py."""


class UnregisteredField(LookupError):
    """A field that the action did not declare. Class it PUBLIC, SEALED or OMIT in the package's actions.py."""


@dataclass(frozen=True, slots=True)
class Action:
    """`sentence` may use {actor}, {object}, {matter} and the names of public fields."""

    name: str
    sentence: str | Promise
    fields: Mapping[str, Kept] = field(default_factory=dict)

    def kept(self, name: str) -> Kept:
        try:
            return self.fields[name]
        except KeyError:
            raise UnregisteredField(f"{self.name}: field {name!r} is not declared") from None


_actions: dict[str, Action] = {}


def register(*actions: Action) -> None:
    """Add actions; a name declared twice is an error at import."""
    for action in actions:
        if action.name in _actions:
            raise ValueError(f"The action {action.name} is declared twice")
        _actions[action.name] = action


def lookup(name: str) -> Action:
    try:
        return _actions[name]
    except KeyError:
        raise UnregisteredAction(f"{name} is not declared in any actions.py") from None


def actions() -> Mapping[str, Action]:
    return dict(_actions)
