"""What the log says of keys. No field is sealed: these entries are written while the key itself is being made."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

_KEY = {"kind": Kept.PUBLIC, "version": Kept.PUBLIC, "provider": Kept.PUBLIC, "epoch": Kept.PUBLIC}

register(
    Action("keys.create", _("{actor} made a key for {object}"), _KEY),
    Action("keys.retire", _("{actor} destroyed a key of {object}"), _KEY),
    Action("keys.rotate", _("{actor} moved the keys to epoch {epoch}"), {**_KEY, "rewrapped": Kept.PUBLIC}),
)
