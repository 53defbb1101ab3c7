"""How a language writes dates where Django's own habit would mislead: one module for each such language.

The names stand here for our translators: Django's Portuguese writes months, and Saturday's short name, as nobody in Brazil does,
and its French cuts every month after three letters: “jui” may be juin or juillet, and “mar” is Tuesday (ours are the CLDR's).
"""

from vsm.kit.i18n import N_

MONTHS = (
    N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"), N_("July"), N_("August"), N_("September"),
    N_("October"), N_("November"), N_("December"),
)  # fmt: skip
SHORT = (
    N_("Sat"), N_("jan"), N_("feb"), N_("mar"), N_("apr"), N_("may"), N_("jun"), N_("jul"), N_("aug"), N_("sep"), N_("oct"), N_("nov"), N_("dec"),
)  # fmt: skip
