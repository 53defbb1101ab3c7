"""The password rule of NIST SP 800-63B-4: 15 characters alone, 8 beside a second factor; no composition rules."""

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

ALONE, WITH_SECOND_FACTOR = 15, 8


class LongOrSecondFactor:
    def validate(self, password: str, user: Any = None) -> None:
        second = bool(user is not None and user.pk and not user._state.adding and is_mfa_enabled(user))
        needed = WITH_SECOND_FACTOR if second else ALONE
        if len(password) < needed:
            raise ValidationError(
                _("The password has %(length)s characters; it needs at least %(needed)s. A sentence that you remember works well."),
                code="password_too_short",
                params={"length": len(password), "needed": needed},
            )

    def get_help_text(self) -> str:
        return _("At least %(alone)s characters, or %(with_second)s once a second factor is set up.") % {"alone": ALONE, "with_second": WITH_SECOND_FACTOR}
