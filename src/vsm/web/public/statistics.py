"""The old address of this installation's counts: they are a page of the Observatory now, with their table, CSV and description."""

from django.urls import path
from django.views.generic import RedirectView

urlpatterns = [
    path(f"statistics{ending}", RedirectView.as_view(url=f"/observatory/exchange{ending}", permanent=True, query_string=True), name=name)
    for ending, name in (("/", "statistics"), (".csv", "statistics_csv"), (".json", "statistics_json"))
]
