"""What doors read of the counts of this installation: the vintage that counts now."""

from vsm.observatory.sources.models import Release
from vsm.observatory.sources.queries import current_releases

SOURCE = "exchange"


def newest_vintage() -> Release | None:
    """The newest release of the pooled counts. One without figures means that too few institutions agree: nothing is shown."""
    return next(iter(current_releases([SOURCE])), None)
