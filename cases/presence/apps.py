from django.apps import AppConfig


class PresenceConfig(AppConfig):
    name = "cases.presence"
    label = "presence"
