from importlib import import_module

from django.apps import AppConfig


class TagsConfig(AppConfig):
    name = "cases.tags"
    label = "tags"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
