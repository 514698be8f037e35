from importlib import import_module

from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "compliance.platform"
    label = "platform"

    def ready(self) -> None:
        import_module("compliance.platform.actions")
        import_module("compliance.platform.apikeys.asking")
        import_module("compliance.platform.apikeys.letters")
        import_module("compliance.platform.counts")
        import_module("compliance.platform.leaving")
        import_module("compliance.platform.upkeep")
