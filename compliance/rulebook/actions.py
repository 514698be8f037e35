"""What the log says of the operator's own rules. They are no personal data, so looking at them is no entry."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

FIELDS: Final[Mapping[str, Kept]] = {
    "state": Kept.PUBLIC,
    "code": Kept.PUBLIC,
    "licensee": Kept.PUBLIC,
    "effective_from": Kept.PUBLIC,
    "values": Kept.PUBLIC,  # rule and value, never words of a person
    "base": Kept.PUBLIC,
    "decided_at": Kept.PUBLIC,
    "proposal": Kept.PUBLIC,
    "maker": Kept.PUBLIC,
}

register(
    Action("rulebook.draft", _("{actor} drafted a change of the rules"), FIELDS),
    Action("rulebook.approve", _("{actor} put a change of the rules in force from {effective_from}"), FIELDS),
    Action("rulebook.withdraw", _("{actor} withdrew a draft of the rules"), FIELDS),
)
