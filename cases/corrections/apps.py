from importlib import import_module

from django.apps import AppConfig


class CorrectionsConfig(AppConfig):
    name = "cases.corrections"
    label = "corrections"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
