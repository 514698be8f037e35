"""What the log says of corrections."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from audit.names import register as register_names
from audit.registry import Action, Kept, register
from cases.corrections.models import Correction

register(
    Action(
        "corrections.correct",
        _("{actor} struck something through: {corrected}"),
        {"corrected": Kept.PUBLIC, "of": Kept.PUBLIC, "number": Kept.PUBLIC, "text": Kept.SEALED},
    ),
)


def _kinds(codes: Iterable[str]) -> dict[str, str]:
    words = {kind.value: str(kind.label) for kind in Correction.Of}
    return {code: words[code] for code in codes if code in words}


register_names("corrected", _kinds)
