"""What the log says of acts on many cases. What came of it stands in the entries of the cases, under the batch's id."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from audit.names import register as register_names
from audit.registry import Action, Kept, register
from cases.bulk.acts import ACTS
from cases.bulk.heavy import heavy_acts

PUBLIC = Kept.PUBLIC
FIELDS = {
    "bulk_act": PUBLIC,
    "rows": PUBLIC,
    "done": PUBLIC,
    "refused": PUBLIC,
    "same": PUBLIC,
    "left": PUBLIC,
    "proposed": PUBLIC,
}

register(
    Action("bulk.start", _("{actor} started a bulk act on {rows} cases: {bulk_act}"), FIELDS),
    Action("bulk.end", _("A bulk act ended: {done} changed, {proposed} proposed, {refused} refused"), FIELDS),
    Action(
        "bulk.propose",
        _("{actor} proposed it together with other cases: {bulk_act}"),
        {"bulk_act": PUBLIC, "batch": PUBLIC},
    ),
    Action("bulk.cancel", _("{actor} cancelled a bulk act"), FIELDS),
)


def _titles(names: Iterable[str]) -> dict[str, str]:
    known = {**ACTS, **heavy_acts()}
    return {name: str(known[name].title) for name in names if name in known}


register_names("bulk_act", _titles)
