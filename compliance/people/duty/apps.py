from importlib import import_module

from django.apps import AppConfig


class DutyConfig(AppConfig):
    name = "compliance.people.duty"
    label = "duty"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
