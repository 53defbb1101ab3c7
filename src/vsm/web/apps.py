"""Django's registration of the browser's door (templates and static files)."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "vsm.web"
    label = "web"
