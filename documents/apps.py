from importlib import import_module

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "documents"
    label = "documents"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.leaving")
