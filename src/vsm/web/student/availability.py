"""When I can meet: the hours of an ordinary week on one's own wall, to tick with a thumb, without JavaScript."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from vsm.exchange.people.models import Person, zones
from vsm.exchange.sessions.actions import tell_availability
from vsm.exchange.sessions.models import Availability
from vsm.exchange.sessions.queries import EARLY, LATE, hours_of
from vsm.exchange.sessions.rules import WEEKDAYS
from vsm.kit import clock
from vsm.kit.errors import Refused
from vsm.kit.ids import new_id
from vsm.kit.requests import Request
from vsm.kit.saying import say, say_reasons


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def availability(request: Request) -> HttpResponse:
    """Ask for the hours, or keep them. The form carries a key of its own, so that it can wait for a connection."""
    person = Person.objects.get(pk=request.actor.person)
    problems: list[str] = []
    chosen, zone = hours_of(person), _zone_of(person)
    if request.method == "POST":
        chosen, zone = [each for each in request.POST.getlist("hours") if "\x00" not in each], request.POST.get("zone", "")[:64].replace("\x00", "")
        by = request.actor.delivering(key=request.POST.get("delivery_key", "")[:255], via="web")
        try:
            tell_availability(person, by=by, now=clock.now(), hours=chosen, zone=zone)
        except Refused as refusal:
            problems = say_reasons(refusal.reasons)
        else:
            messages.success(request, _("Done: your hours are kept."))
            return redirect("availability")
    context = {
        "title": _("When you can meet"), "problems": problems, "zone": zone, "zones": sorted({*zones(), zone}), "delivery_key": request.POST.get("delivery_key") or str(new_id()),
        "days": [
            {"name": say(name), "hours": [{"value": f"{day}-{hour:02d}", "hour": f"{hour:02d}", "next": f"{hour + 1:02d}", "can": f"{day}-{hour:02d}" in chosen} for hour in range(EARLY, LATE)]}
            for day, name in enumerate(WEEKDAYS)
        ],
    }  # fmt: skip
    return render(request, "student/sessions/availability.html", context, status=422 if problems else 200)


def _zone_of(person: Person) -> str:
    told = Availability.objects.filter(person=person).values_list("zone", flat=True).first()
    return str(told or person.zone)


urlpatterns = [path("availability/", availability, name="availability")]
