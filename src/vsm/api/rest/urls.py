"""The addresses of the API, in a module of their own: what imports it builds them (see vsm.app.urls)."""

from vsm.api.rest import api

urlpatterns = api.urls[0]
