from importlib import import_module

from django.apps import AppConfig
from django.core import checks


class MarkersConfig(AppConfig):
    name = "cases.types.gaming.markers"
    label = "markers"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        book = import_module(f"{self.name}.book")
        import_module(f"{self.name}.hearing")
        checks.register(book.check_markers)
