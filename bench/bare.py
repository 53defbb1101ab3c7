"""The peer of our pages: Django with nothing added, no middleware, one template, the same database and server.

`/nothing/` answers a fixed text; `/list/` shows twenty offerings by the plainest view that Django's tutorial would write.
"""

import os

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="bench", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[], USE_I18N=False, USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(os.environ["VSM_DATA"], "vsm.sqlite3"), "CONN_MAX_AGE": None}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)  # fmt: skip
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402 -- after the settings
from django.db import models  # noqa: E402 -- after the settings
from django.http import HttpRequest, HttpResponse  # noqa: E402 -- after the settings
from django.template import Context, Engine  # noqa: E402 -- after the settings
from django.urls import path  # noqa: E402 -- after the settings

PAGE = Engine().from_string(
    "<!doctype html><title>Offerings</title><ul>{% for o in offerings %}<li><a href='/{{ o.pk }}/'>{{ o.opportunity.code }}</a> "
    "{{ o.opportunity.title }} {{ o.opportunity.organisation.name }} {{ o.starts_on }} {{ o.ends_on }} {{ o.seats }} {{ o.mode }}</li>{% endfor %}</ul>"
)


class Organisation(models.Model):
    id = models.UUIDField(primary_key=True)
    name = models.JSONField()

    class Meta:
        app_label, db_table, managed = "bare", "institutions_organisation", False


class Opportunity(models.Model):
    id = models.UUIDField(primary_key=True)
    organisation = models.ForeignKey(Organisation, models.CASCADE)
    code = models.TextField()
    title = models.JSONField()

    class Meta:
        app_label, db_table, managed = "bare", "catalogue_opportunity", False


class Offering(models.Model):
    id = models.UUIDField(primary_key=True)
    opportunity = models.ForeignKey(Opportunity, models.CASCADE)
    starts_on = models.DateField()
    ends_on = models.DateField()
    seats = models.IntegerField()
    mode = models.TextField()
    state = models.TextField()

    class Meta:
        app_label, db_table, managed = "bare", "catalogue_offering", False


def nothing(request: HttpRequest) -> HttpResponse:
    return sized("<!doctype html><title>Nothing</title><p>Nothing</p>")


def listing(request: HttpRequest) -> HttpResponse:
    start = 20 * int(request.GET.get("page", "0"))
    found = Offering.objects.filter(state="published").select_related("opportunity__organisation").order_by("starts_on")
    return sized(PAGE.render(Context({"offerings": found[start : start + 20]})))


def sized(html: str) -> HttpResponse:
    """With its length, which a middleware would add and without which a connection cannot be kept."""
    body = html.encode()
    return HttpResponse(body, headers={"Content-Length": str(len(body))})


urlpatterns = [path("nothing/", nothing), path("list/", listing)]
application = get_wsgi_application()
