"""Months and what forms say, listed like the words of the account pages (`account_words.py`) for our translators: the libraries'
Spanish calls the reader usted, and their Portuguese capitalises months.
"""

from vsm.kit.i18n import N_

MONTHS = (
    N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"),
    N_("July"), N_("August"), N_("September"), N_("October"), N_("November"), N_("December"),
)  # fmt: skip

# French abbreviates juin to “jui” there, which may as well be juillet.
SHORT_MONTHS = (N_("jun"), N_("jul"))

FORMS = (
    N_("Enter a valid value."),
    N_("Enter a valid URL."),
    N_("Enter a valid integer."),
    N_("Enter a valid email address."),
    N_("Ensure this value is less than or equal to %(limit_value)s."),
    N_("Ensure this value is greater than or equal to %(limit_value)s."),
    N_("Enter a number."),
    N_("Enter a whole number."),
    N_("Enter a valid date."),
    N_("Enter a valid time."),
    N_("Enter a valid date/time."),
    N_("No file was submitted. Check the encoding type on the form."),
    N_("Select a valid choice. %(value)s is not one of the available choices."),
    N_("Select a valid choice. That choice is not one of the available choices."),
    N_("Enter a list of values."),
    N_("Enter a complete value."),
    N_("Enter a valid UUID."),
)
