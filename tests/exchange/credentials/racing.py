"""Several workers sign for one institution at once, on a status list so short that they must meet."""

from datetime import timedelta
from typing import Any

from tests.exchange.credentials import given
from tests.races.stage import at_once
from vsm.exchange.credentials import signer, tasks
from vsm.exchange.credentials.models import Credential, IssuerKey
from vsm.kit import clock, jobs
from vsm.kit.events import subscribe
from vsm.kit.models import Job

PLACES = 40


def signing(*, workers: int, courses: int, naive: bool) -> dict[str, Any]:
    """`naive` draws without looking whether the place is taken: then only the database's constraint is left."""
    signer.secrets.randbelow = lambda _entries, draw=signer.secrets.randbelow: draw(PLACES)  # type: ignore[assignment] -- see above
    if naive:
        signer.free_index = lambda entries, _is_taken, draw: draw(entries)
    subscribe("credential.requested", tasks.sign_credential)
    world = given.world({f"C-{number:02}": "6.0" for number in range(courses)})
    world.request()
    answers = at_once([_work] * workers)
    issued = Credential.objects.filter(state="issued")
    return {
        "broken": [repr(answer) for answer in answers if not isinstance(answer, int)],
        "issued": issued.count(),
        "places": issued.values("status_index").distinct().count(),
        "refused by the database": Job.objects.filter(error__contains="IntegrityError").count() > 0,
        "other failures": Job.objects.exclude(error="").exclude(error__contains="IntegrityError").count(),
        "keys": IssuerKey.objects.count(),
    }


def _work() -> int:
    """One worker, on the day of the world (each thread has a clock of its own to stop)."""
    with clock.stopped_at(given.NOW + timedelta(seconds=1)):
        return jobs.drain()
