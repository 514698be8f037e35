"""Where the keys that wrap other keys live: a key file, the transit engine of Vault, or AWS KMS.

A provider holds numbered epochs of a wrapping key and one installation secret. Neither ever is in the database or in
its backups. `settings.KEY_PROVIDER` names the one in use; the libraries of the others need not be installed.
"""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from compliance.keys.providers.interface import KEY_BYTES, KeyUnavailable, Provider, Wrapped
from compliance.keys.providers.key_file import LocalKeyFile

__all__ = ["KEY_BYTES", "KeyUnavailable", "LocalKeyFile", "Provider", "Wrapped", "provider"]

CLASSES = {
    "file": "compliance.keys.providers.key_file.LocalKeyFile",
    "vault": "compliance.keys.providers.vault.VaultTransit",
    "aws": "compliance.keys.providers.aws.AwsKms",
}


@cache
def provider() -> Provider:
    """The one provider of this process."""
    made: Provider = import_string(CLASSES[settings.KEY_PROVIDER]).from_settings()
    return made
