"""Django's registration of this slice."""

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "vsm.exchange.sessions"
    label = "live_sessions"  # Django's own sessions have the plain word
