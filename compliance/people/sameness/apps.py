from importlib import import_module

from django.apps import AppConfig


class SamenessConfig(AppConfig):
    name = "compliance.people.sameness"
    label = "sameness"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.services")
