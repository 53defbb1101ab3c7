"""Who acts or reads on the command line."""

import argparse
from zoneinfo import ZoneInfo

from django.utils import timezone

from vsm.cli.saying import speak
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import actor_of
from vsm.kit import clock
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason


def acting(args: argparse.Namespace) -> Actor:
    """The person of `--as EMAIL`, in whose language and time zone everything is then said; without it the operator of this
    computer, who can read everything."""
    if not args.actor:
        speak("en")
        return SYSTEM.delivering(via="cli")
    person = Person.objects.filter(email=args.actor.lower(), is_active=True).first()
    if person is None:
        raise Invalid(Reason("nobody", N_("Nobody here has the address %(email)s. `./vsm list person` shows who does."), {"email": args.actor}, "--as"))
    speak(person.language)
    timezone.activate(ZoneInfo(person.zone))
    return actor_of(person, clock.now()).delivering(via="cli")


def as_argument(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    parser.add_argument("--as", dest="actor", metavar="EMAIL", default="", required=required, help="the person who reads or acts")
