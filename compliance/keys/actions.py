"""What the log says of keys. No field is sealed: these entries are written while the key itself is being made."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

_KEY = {"kind": Kept.PUBLIC, "version": Kept.PUBLIC, "provider": Kept.PUBLIC, "epoch": Kept.PUBLIC}
_SHRED = {
    **dict.fromkeys(("kind", "keys", "version", "provider", "epochs"), Kept.PUBLIC),
    # Why it was lawful: the rule, the last day records had to be kept, and who confirmed what somebody else proposed.
    **dict.fromkeys(("rule", "policy", "kept_until", "proposal", "maker", "documents"), Kept.PUBLIC),
}

register(
    Action("keys.create", _("{actor} made a key for {object}"), _KEY),
    Action("keys.renew", _("{actor} renewed the key of {object}"), _KEY),
    Action(
        "keys.begin_rotation", _("{actor} began to move the keys to epoch {epoch}"), {**_KEY, "resumed": Kept.PUBLIC}
    ),
    Action("keys.rotate", _("{actor} moved the keys to epoch {epoch}"), {**_KEY, "rewrapped": Kept.PUBLIC}),
    Action("keys.destroy_epoch", _("{actor} destroyed the keys' epoch {epoch}"), _KEY),
    Action("keys.shred", _("{actor} erased {object}: the key was destroyed"), _SHRED),
    Action("keys.replay_shred", _("{actor} erased {object} again after a restore"), _SHRED),
    Action(
        "keys.escrow",
        _("{actor} put the keys into escrow {escrow}"),
        {"escrow": Kept.PUBLIC, "epochs": Kept.PUBLIC, "threshold": Kept.PUBLIC, "custodians": Kept.PUBLIC},
    ),
)
