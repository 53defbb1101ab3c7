"""Django's registration of the kit's tables; and the first of a month in French and Portuguese, for which Django has no format."""

from django.apps import AppConfig
from django.utils.dateformat import DateFormat
from django.utils.translation import get_language


class KitConfig(AppConfig):
    name = "vsm.kit"
    label = "kit"

    def ready(self) -> None:
        # In the one place through which every filter and format goes: “1er mars”, then “2 mars”. In the formats of these
        # languages `j` always stands before the name of a month.
        DateFormat.j = _day_of_month  # type: ignore[method-assign,assignment]  # -- Django knows no ordinals but English ones


FIRST = {"fr": "1er", "pt": "1º"}


def _day_of_month(self: DateFormat) -> int | str:
    day: int = self.data.day  # type: ignore[union-attr]  # -- of a time alone nobody asks the day
    return FIRST.get((get_language() or "")[:2], day) if day == 1 else day
