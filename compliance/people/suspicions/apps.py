from importlib import import_module

from django.apps import AppConfig


class SuspicionsConfig(AppConfig):
    name = "compliance.people.suspicions"
    label = "suspicions"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
