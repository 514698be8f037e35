from importlib import import_module

from django.apps import AppConfig


class MacrosConfig(AppConfig):
    name = "cases.macros"
    label = "macros"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
