from importlib import import_module

from django.apps import AppConfig


class BulkConfig(AppConfig):
    name = "cases.bulk"
    label = "bulk"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.leaving")
