"""Names of countries and languages follow the reader's language."""

from vsm.kit.names import country_name, language_name


def test_a_country_is_called_as_the_reader_calls_it() -> None:
    assert [country_name("DE", language) for language in ("es", "pt-br", "en", "fr")] == ["Alemania", "Alemanha", "Germany", "Allemagne"]


def test_a_language_is_called_as_the_reader_calls_it() -> None:
    assert [language_name("pt", language) for language in ("es", "pt-br", "en", "fr")] == ["portugués", "português", "Portuguese", "portugais"]


def test_what_has_no_name_is_shown_by_its_code() -> None:
    assert country_name("QQ", "es") == "QQ"
    assert language_name("not a code", "fr") == "not a code"
