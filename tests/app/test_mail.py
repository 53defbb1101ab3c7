"""Letters leave as the address says; a wrong address stops the start with an instruction."""

from pathlib import Path

import pytest

from vsm.app.mail import mail
from vsm.config import WrongSetting


def test_without_an_address_letters_stay_in_files() -> None:
    assert mail("", Path("data"))["EMAIL_FILE_PATH"] == "data/mail"


def test_a_relay_is_spoken_to_under_tls() -> None:
    told = mail("smtp://office%40uni:p%2Fw@mail.uni.example", Path("data"))
    assert (told["EMAIL_HOST"], told["EMAIL_PORT"], told["EMAIL_USE_TLS"]) == ("mail.uni.example", 587, True)
    assert (told["EMAIL_HOST_USER"], told["EMAIL_HOST_PASSWORD"]) == ("office@uni", "p/w")


def test_tls_from_the_start_and_a_relay_on_this_machine() -> None:
    assert mail("smtps://mail.uni.example", Path("data"))["EMAIL_USE_SSL"] is True
    assert mail("smtp://127.0.0.1:2525", Path("data"))["EMAIL_USE_TLS"] is False


def test_anything_else_is_refused_without_telling_the_password() -> None:
    with pytest.raises(WrongSetting, match="smtp://user") as told:
        mail("http://user:secret@mail.example", Path("data"))
    assert "secret" not in str(told.value)
