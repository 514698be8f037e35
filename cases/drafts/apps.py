from importlib import import_module

from django.apps import AppConfig


class DraftsConfig(AppConfig):
    name = "cases.drafts"
    label = "drafts"

    def ready(self) -> None:
        import_module(f"{self.name}.leaving")
