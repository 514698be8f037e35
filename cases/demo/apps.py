from importlib import import_module

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "cases.demo"
    label = "demo"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
