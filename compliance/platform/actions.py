"""What the log says of API keys."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

register(
    Action(
        "platform.issue_key",
        _("{actor} issued the API key {prefix}"),
        {
            "prefix": Kept.PUBLIC,
            "owner": Kept.PUBLIC,
            "licensee": Kept.PUBLIC,
            "scopes": Kept.PUBLIC,
            "expires_at": Kept.PUBLIC,
            "name": Kept.SEALED,
        },
    ),
    Action("platform.revoke_key", _("{actor} revoked the API key {prefix}"), {"prefix": Kept.PUBLIC}),
    Action(
        "platform.sign_in", _("{actor} called the API with {object}"), {"scope": Kept.PUBLIC, "operation": Kept.PUBLIC}
    ),
)
