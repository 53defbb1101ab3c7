"""How a language writes dates where Django's own habit would mislead: one module for each such language.

The names stand here for our translators: Django's Portuguese writes months, and Saturday's short name, as nobody in Brazil does,
and its French abbreviates juin to “jui”, which may as well be juillet.
"""

from vsm.kit.i18n import N_

MONTHS = (
    N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"), N_("July"), N_("August"), N_("September"),
    N_("October"), N_("November"), N_("December"),
)  # fmt: skip
SHORT = (N_("Sat"), N_("jun"), N_("jul"))
