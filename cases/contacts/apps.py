from importlib import import_module

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "cases.contacts"
    label = "contacts"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.said")
