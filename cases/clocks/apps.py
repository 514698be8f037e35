from importlib import import_module

from django.apps import AppConfig


class ClocksConfig(AppConfig):
    name = "cases.clocks"
    label = "clocks"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.names")
