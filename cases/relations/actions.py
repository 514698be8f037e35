"""What the log says of links, merges and followers. The number of a linked case is not named: not everybody who reads
this case may know that the other exists.
"""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from audit.names import register as register_names
from audit.registry import Action, Kept, register
from cases.relations.models import Link

PUBLIC = Kept.PUBLIC
MERGED = {"other": PUBLIC, "due_at": PUBLIC, "tasks": PUBLIC}

register(
    Action("relations.link", _("{actor} linked another case: {link_kind}"), {"link_kind": PUBLIC}),
    Action("relations.unlink", _("{actor} removed a link to another case"), {"link_kind": PUBLIC}),
    Action("relations.merge", _("{actor} merged this case into {other}"), MERGED),
    Action("relations.take_in", _("{actor} merged {other} into this case"), MERGED),
    Action("relations.unmerge", _("{actor} undid the merge with {other}"), MERGED),
    Action("relations.watch", _("{actor} follows the case"), {"batch": PUBLIC}),
    Action("relations.unwatch", _("{actor} no longer follows the case"), {"batch": PUBLIC}),
)


def _kinds(codes: Iterable[str]) -> dict[str, str]:
    words = {kind.value: str(kind.label) for kind in Link.Kind}
    return {code: words[code] for code in codes if code in words}


register_names("link_kind", _kinds)
