from importlib import import_module

from django.apps import AppConfig


class MarksConfig(AppConfig):
    name = "cases.marks"
    label = "marks"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.acts")
