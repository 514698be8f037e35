from importlib import import_module

from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "compliance.platform"
    label = "platform"

    def ready(self) -> None:
        import_module("compliance.platform.actions")
        import_module("compliance.platform.counts")
