"""Every address: the doors' own tables, joined."""

from django.urls import URLResolver, include, path, re_path
from django.urls.resolvers import RoutePattern

from vsm.web.accounts import no_address_page


class WhenAsked(URLResolver):
    """Addresses whose module is imported by the first request below them; a page never waits for it.

    Looking up the name of any address makes Django read every table. A namespace keeps its names to itself, so that this
    one need not be read for others'.
    """

    def _populate(self) -> None:
        """Nothing here belongs to the tables above: `namespace:name` is looked up in a resolver made for the purpose."""


urlpatterns = [
    # Every noun's operations take a second to build.
    WhenAsked(RoutePattern("api/v1/"), "vsm.api.rest.urls", app_name="ninja", namespace="api"),
    re_path(r"^accounts/(?:email|confirm-email)/", no_address_page),
    path("accounts/", include("allauth.urls")),
    path("", include("vsm.web.urls")),
]

handler404 = "vsm.web.refusals.page_not_found"
handler500 = "vsm.web.refusals.server_error"
handler403 = "vsm.web.refusals.forbidden"
handler400 = "vsm.web.refusals.bad_request"
