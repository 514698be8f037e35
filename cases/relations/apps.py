from importlib import import_module

from django.apps import AppConfig


class RelationsConfig(AppConfig):
    name = "cases.relations"
    label = "relations"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
