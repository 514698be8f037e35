from importlib import import_module

from django.apps import AppConfig


class FormerConfig(AppConfig):
    name = "cases.former"
    label = "former"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.importing")
