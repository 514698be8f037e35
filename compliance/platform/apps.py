from django.apps import AppConfig


class PlatformConfig(AppConfig):
    name = "compliance.platform"
    label = "platform"
