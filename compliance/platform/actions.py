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
            "signs": Kept.PUBLIC,
            "proposal": Kept.PUBLIC,  # of the second person, where the scopes are wide
        },
    ),
    Action(
        "platform.ask_key",
        _("{actor} asked for an API key with {scopes}"),
        {
            "owner": Kept.PUBLIC,
            "licensee": Kept.PUBLIC,
            "scopes": Kept.PUBLIC,
            "expires_at": Kept.PUBLIC,
            "former": Kept.PUBLIC,
            "signs": Kept.PUBLIC,
            "name": Kept.SEALED,
        },
    ),
    Action(
        "platform.report_counts",
        _("{actor} reported the platform's counts of {day}: {differing} of {counted} differ"),
        {"day": Kept.PUBLIC, "counted": Kept.PUBLIC, "differing": Kept.PUBLIC},
    ),
    Action(
        "platform.reconcile",
        _("{actor} compared the counts of {day} again: {differing} of {counted} differ"),
        {"day": Kept.PUBLIC, "counted": Kept.PUBLIC, "differing": Kept.PUBLIC},
    ),
    Action(
        "platform.take_counts",
        _("{actor} took the platform's daily counts as a file: {rows} rows"),
        {"rows": Kept.PUBLIC},
    ),
    Action("platform.list_counts", _("{actor} looked at the platform's daily counts"), {"rows": Kept.PUBLIC}),
    Action(
        "platform.pin_version",
        _("{actor} moved the API key {prefix} to another version of the API"),
        {"prefix": Kept.PUBLIC, "api_version": Kept.PUBLIC},
    ),
    Action("platform.list_keys", _("{actor} looked at the API keys"), {"rows": Kept.PUBLIC}),
    Action(
        "platform.rotate_key",
        _("{actor} replaced the API key {former} by {prefix}; the former works until {until}"),
        {
            "former": Kept.PUBLIC,
            "prefix": Kept.PUBLIC,
            "until": Kept.PUBLIC,
            "expires_at": Kept.PUBLIC,
            "signs": Kept.PUBLIC,
            "proposal": Kept.PUBLIC,
        },
    ),
    Action("platform.revoke_key", _("{actor} revoked the API key {prefix}"), {"prefix": Kept.PUBLIC}),
    Action(
        "platform.sign_in", _("{actor} called the API with {object}"), {"scope": Kept.PUBLIC, "operation": Kept.PUBLIC}
    ),
)
