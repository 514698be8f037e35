from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from compliance import starting
from compliance.keys.providers import KeyUnavailable, LocalKeyFile


class KeysConfig(AppConfig):
    name = "compliance.keys"
    label = "keys"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        checks.register(starting.check_installation, checks.Tags.security, deploy=True)
        checks.register(starting.check_migrations, checks.Tags.database, deploy=True)
        import_module("audit.access").answer_with(503, KeyUnavailable, Retry_After="5")
        import_module("audit.access").answer_with(410, import_module(f"{self.name}.services").Shredded)
        # No process starts on a key file that others can read or that is damaged. A missing one is made at set-up.
        # A provider elsewhere may be away: then the process starts, and what needs a key answers 503.
        file = LocalKeyFile(settings.KEY_FILE)
        if settings.KEY_PROVIDER == "file" and file.exists() and (problems := file.health()):
            raise ImproperlyConfigured("; ".join(problems))
