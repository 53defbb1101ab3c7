"""The reason that an act demands of whoever does it."""

from collections.abc import Iterator
from typing import Annotated

from django.utils.translation import gettext_lazy as _

from vsm.kit.actions import Ask
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

Because = Annotated[
    str, Ask(_("Why?"), _("The student and the other institution read this."), kind="long_text", limit=2000)
]


def without_reason(because: str) -> Iterator[Reason]:
    if not because.strip():
        yield Reason("because-missing", N_("Give a reason: those concerned read it."), {}, "because")
