"""The browser's addresses. Pages of their own first; what every noun has comes last."""

from importlib import import_module

from django.urls import include, path

from vsm.web import desk, objects

# Each module here has `urlpatterns` of its own, may register extras of noun pages, or both.
PAGES = (
    "public.home", "public.invitations", "public.addresses", "public.catalogue", "public.calls", "public.allocation", "public.verify", "public.tokens", "public.statistics", "public.offline",
    "student.applications", "student.allocation", "student.learning_agreements", "student.sessions", "student.availability", "student.series", "student.recognition", "student.credentials",
    "coordinator.agreements", "coordinator.catalogue", "coordinator.applications", "coordinator.allocation", "coordinator.trials", "coordinator.learning_agreements",
    "instructor.sessions", "instructor.finding", "instructor.results", "registrar.recognition", "registrar.credentials",
    "public.programmes", "student.programmes", "coordinator.programmes",
    "host.placements", "student.placements", "coordinator.placements", "public.concerns",
    "student.teams", "instructor.teams",
    "public.status", "student.emergencies", "coordinator.emergencies",
    "instructor.collaborations", "student.collaborations", "public.events",
    "public.observatory", "public.observatory_regions", "public.observatory_exchange", "public.observatory_equity", "public.observatory_briefs", "public.observatory_methods", "public.observatory_releases", "public.casebook",
    # Last, because it adds to a page that another module has.
    "student.preparations",
)  # fmt: skip

urlpatterns = [
    path("language/", include("django.conf.urls.i18n")),
    *desk.urlpatterns,
    *(pattern for name in PAGES for pattern in getattr(import_module(f"vsm.web.{name}"), "urlpatterns", ())),
    path("messages/", objects.list_page, {"plural": "messages"}, name="outbox"),
    path("calls/", objects.list_page, {"plural": "calls"}, name="calls"),
    path("<slug:plural>.csv", objects.list_csv, name="list_csv"),
    path("<slug:plural>/", objects.list_page, name="list"),
    path("<slug:plural>/<uuid:pk>/", objects.page, name="object"),
    path("<slug:plural>/<uuid:pk>/history/", objects.history, name="history"),
    path("<slug:plural>/<uuid:pk>/<slug:verb>/", objects.act, name="act"),
]
