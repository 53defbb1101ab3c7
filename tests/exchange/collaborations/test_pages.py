"""The pages of an exchange: the fit with its parts, the plan and its signing, one's own place, files, who is let in."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from tests.exchange.collaborations.given import NOW, World, actor, at, fresh, of_code
from vsm.exchange.collaborations import actions
from vsm.exchange.collaborations.models import Contact, Exchange
from vsm.exchange.people.models import Person
from vsm.kit import clock
from vsm.kit.uploads import Upload

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]
START = date(2027, 2, 15)


def browser(who: Person) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(who, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_a_wish_shows_who_fits_with_every_part_and_its_reason(world: World) -> None:
    mine, _theirs = world.wish(world.pilar, world.bogota), world.wish(world.remy, world.lyon)
    with clock.stopped_at(NOW):
        shown = browser(world.pilar).get(f"/partner-wishes/{mine.pk}/").content.decode()
    for words in ("Fit 94 of 100", "weight 30 %", "Best hour: 07:00–12:00 (America/Bogota), there 13:00–18:00 (Europe/Paris)", "Shared: English, at B2 here and B2 there."):
        assert words in shown


def test_somebody_elses_wish_shows_the_fit_with_ones_own(world: World) -> None:
    mine, theirs = world.wish(world.pilar, world.bogota), world.wish(world.remy, world.lyon)
    with clock.stopped_at(NOW):
        assert "How it fits with your own wish" in browser(world.remy).get(f"/partner-wishes/{mine.pk}/").content.decode()
        assert "Publish a wish of your own" in browser(world.dora).get(f"/partner-wishes/{theirs.pk}/").content.decode()


def test_both_sides_of_an_invitation_read_of_the_others_wish_from_where_they_stand(world: World) -> None:
    invitation = world.invitation()
    with clock.stopped_at(NOW):
        asking, asked = (browser(who).get(f"/partner-invitations/{invitation.pk}/").content.decode().split("How the two wishes fit")[1].split("Facts")[0] for who in (world.pilar, world.remy))
    assert ["Lyon" in asking, "07:00–12:00 (America/Bogota), there 13:00–18:00 (Europe/Paris)" in asking, "12 students here, 9 there" in asking] == [True] * 3
    assert ["Bogota · CO" in asked or "Bogota · Colombia" in asked, "13:00–18:00 (Europe/Paris), there 07:00–12:00 (America/Bogota)" in asked, "9 students here, 12 there" in asked] == [True] * 3


def test_the_main_button_of_an_exchange_is_what_is_due(world: World) -> None:
    def main(exchange: Any) -> str:
        return browser(world.pilar).get(f"/exchanges/{exchange.pk}/").content.decode().split("button-primary")[1].split("</a>")[0].rpartition(">")[2]

    with clock.stopped_at(NOW):
        exchange = world.exchange()
        assert main(exchange) == "Draft the plan"
    with clock.stopped_at(NOW):
        Exchange.objects.filter(pk=exchange.pk).update(state="cancelled")
    with clock.stopped_at(NOW):
        assert main(world.gathered()) == "Form teams"


def test_a_plan_shows_due_times_on_its_own_clock_as_days_are_written(world: World) -> None:
    exchange = world.agreed()
    with clock.stopped_at(NOW):
        shown = browser(world.pilar).get(f"/exchanges/{exchange.pk}/").content.decode()
        task = browser(world.pilar).get(f"/exchange-tasks/{exchange.tasks.get(key='T1').pk}/").content.decode()
    assert ["Mon 22 Feb 2027, 23:59 (Europe/Paris)" in page for page in (shown, task)] == [True, True]
    assert "2027-02-22 23:59" not in shown + task


def test_a_later_draft_begins_with_the_title_of_the_one_before(world: World) -> None:
    exchange = world.drafted(title={"en": "Two rivers"})
    assert "Two rivers" in browser(world.remy).get(f"/exchanges/{exchange.pk}/draft_plan/").content.decode()


def test_the_plan_is_signed_on_the_page_that_shows_its_whole_text(world: World) -> None:
    exchange = actions.present_plan(world.drafted(), by=actor(world.pilar), now=NOW)
    client, page = browser(world.remy), f"/exchanges/{exchange.pk}/sign_plan/"
    digest = fresh(exchange).current_version.digest
    shown = client.get(page).content.decode()
    assert f'name="digest" value="{digest}"' in shown
    assert client.post(page, {"digest": digest, "delivery_key": "k"}).status_code == 302
    assert fresh(exchange).waiting_for == "first"
    assert client.post(page, {"digest": "0" * 64, "delivery_key": "l"}).status_code == 422


def test_a_student_sees_the_team_by_code_or_name_and_the_due_times_in_the_own_zone(world: World) -> None:
    exchange = world.running(at(START))
    ana, luc = of_code(exchange, "CO-01"), of_code(exchange, "FR-01")
    actions.share_name(luc, by=actor(luc.person), now=NOW)
    with clock.stopped_at(at(START, 18)):
        shown = browser(ana.person).get(f"/participants/{ana.pk}/").content.decode()
    assert "Student FR 1" in shown
    assert "FR-03" in shown
    assert "Student FR 3" not in shown
    assert "22 Feb 2027, 17:59" in shown
    assert "May the partner class read your name?" in shown


def test_a_file_is_for_the_team_and_the_teachers_and_is_never_run(world: World) -> None:
    exchange = world.running(at(START))
    ana = of_code(exchange, "CO-01")
    made = actions.hand_in(exchange.tasks.get(key="T2"), by=actor(ana.person), now=at(START), file=Upload.of('m<">ap.html', "text/html", b"<script>"))
    page = f"/submissions/{made.pk}/file/"
    answer = browser(world.remy).get(page)
    assert (answer.content, answer["Content-Type"], answer["Content-Disposition"]) == (b"<script>", "application/octet-stream", 'attachment; filename="map.html"')
    assert [browser(who).get(page).status_code for who in (of_code(exchange, "FR-01").person, of_code(exchange, "CO-02").person, world.dora)] == [200, 404, 404]


def test_the_partners_teacher_notes_a_contact_without_reading_the_name(world: World) -> None:
    exchange = world.running(at(START))
    ana = of_code(exchange, "CO-01")
    page = f"/exchanges/{exchange.pk}/watch/{ana.pk}/"
    shown = browser(world.remy).get(page).content.decode()
    assert "CO-01" in shown
    assert "Student CO 1" not in shown
    assert browser(world.remy).post(page, {"how": "Wrote.", "delivery_key": "k"}).status_code == 302
    assert Contact.objects.get().by == world.remy
    assert [browser(who).get(page).status_code for who in (world.office, ana.person, world.dora)] == [404, 404, 404]


def test_the_watch_list_as_a_file_is_safe_and_private(world: World) -> None:
    exchange = world.running(at(START))
    with clock.stopped_at(at(date(2027, 3, 2))):
        answer = browser(world.pilar).get(f"/exchanges/{exchange.pk}/watch/?format=csv&level=act")
    assert (answer["Cache-Control"], answer.content.decode().count("\n")) == ("private, no-store", 12)


@pytest.mark.parametrize("tail", ["", "sign_plan/", "watch/", "history/"])
def test_a_stranger_finds_nothing(world: World, tail: str) -> None:
    exchange = world.running(at(START))
    assert browser(world.dora).get(f"/exchanges/{exchange.pk}/{tail}").status_code == 404
    assert Client().get(f"/exchanges/{exchange.pk}/{tail}").status_code in {302, 404}


def test_the_watch_page_asks_the_same_for_a_small_class_and_a_large_one(world: World, django_assert_num_queries: Any) -> None:
    exchange = world.running(at(START), 2, 2)
    client, page = browser(world.pilar), f"/exchanges/{exchange.pk}/watch/"
    client.get(page)
    with django_assert_num_queries(18):
        client.get(page)
    read = actions.import_roster(exchange, by=actor(world.pilar), now=at(START), file=Upload.of("x.csv", "text/csv", b"email,name\n" + b"".join(b"n%d@class.example,N%d\n" % (n, n) for n in range(6))))
    actions.apply_roster(read, by=actor(world.pilar), now=at(START))
    with django_assert_num_queries(18):
        assert client.get(page).content.decode().count('<span class="title">') == 10


def test_a_class_list_is_shown_with_languages_by_name_before_it_is_applied(world: World) -> None:
    exchange = world.running(at(START))
    read = actions.import_roster(exchange, by=actor(world.pilar), now=at(START), file=Upload.of("x.csv", "text/csv", b"email,name,languages\nn@class.example,Nora,es:native en:B2\n"))
    shown = browser(world.pilar).get(f"/roster-files/{read.pk}/").content.decode()
    assert ("<li>Spanish: Native speaker</li>" in shown, "<li>English: B2</li>" in shown) == (True, True)
