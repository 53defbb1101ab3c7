"""The reason that an act demands of whoever does it."""

from typing import Annotated

from django.utils.translation import gettext_lazy as _

from vsm.kit.actions import Ask

Because = Annotated[
    str, Ask(_("Why?"), _("The student and the other institution read this."), kind="long_text", limit=2000)
]
