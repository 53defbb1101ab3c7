"""How a language writes dates where Django's own habit would mislead: one module for each such language.

The months stand here for our translators: Django's Portuguese writes them, and Saturday's short name, as nobody in Brazil does.
"""

from vsm.kit.i18n import N_

NAMES = (
    N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"), N_("July"), N_("August"), N_("September"),
    N_("October"), N_("November"), N_("December"), N_("Sat"),
)  # fmt: skip
