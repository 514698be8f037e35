from importlib import import_module

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "compliance.people.access"
    label = "access"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.letters")
        import_module(f"{self.name}.oidc.services")
