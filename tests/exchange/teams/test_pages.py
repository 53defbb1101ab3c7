"""Pages and REST of teams: a preview with rules in plain words, a team's page in the reader's own time, without JavaScript."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.exchange.teams.given import NOW, World, actor, by_name, classroom, member, published, team_of
from vsm.exchange.people.models import Person
from vsm.exchange.sessions.actions import schedule
from vsm.exchange.sessions.models import Availability
from vsm.exchange.teams.models import TeamFormation
from vsm.kit import clock

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


def browser(who: Person) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(who)
    return client


def get(who: Person, url: str, status: int = 200) -> str:
    with clock.stopped_at(NOW):
        answer = browser(who).get(url)
    assert answer.status_code == status, url
    return answer.content.decode()


def test_a_teacher_forms_teams_by_a_form_and_sees_rules_cards_table_and_balance(world: World) -> None:
    offering = classroom(world)
    client = browser(world.teacher)
    with clock.stopped_at(NOW):
        page = client.get(f"/offerings/{offering.pk}/form_teams/").content.decode()
        assert "Different countries in each team, at least" in page
        sent = {
            "size": "3", "language": "must", "countries": "2", "institutions": "1", "hours": "0", "hours_weight": "wish", "zones": "8",
            "balance": "on", "seed": "s", "pairs-count": "0",
        }  # fmt: skip
        answer = client.post(f"/offerings/{offering.pk}/form_teams/", sent)
    formation = TeamFormation.objects.get()
    assert answer["Location"] == f"/team-formations/{formation.pk}/"
    shown = get(world.teacher, f"/team-formations/{formation.pk}/")
    for words in ("nobody has been told", "Each team has people of at least 2 countries.", "It is proved", "Team 2", "You come from 2 countries.", "Balance across teams", "The teams as a table"):
        assert words in shown


def test_pairs_are_chosen_in_the_form_and_half_a_pair_is_told(world: World) -> None:
    offering = classroom(world)
    client, url = browser(world.teacher), f"/offerings/{offering.pk}/form_teams/"
    sent = {"size": "3", "language": "must", "countries": "1", "institutions": "1", "hours": "0", "hours_weight": "wish", "zones": "0"}
    luis, mara = str(by_name("Luis").pk), str(by_name("Mara").pk)
    with clock.stopped_at(NOW):
        page = client.get(url).content.decode()
        assert page.count('name="pairs-0-first"') == 1
        spare = {f"pairs-{line}-{part}": "" for line in range(3) for part in ("first", "second")} | {"pairs-count": "3"}
        refused = client.post(url, {**sent, **spare, "pairs-0-first": luis})
        assert refused.status_code == 422
        assert "Pair 1 names one person. Choose two." in refused.content.decode()
        client.post(url, {**sent, **spare, "pairs-0-first": luis, "pairs-0-second": mara, "pairs-0-how": "together"})
    formation = TeamFormation.objects.get()
    assert any({luis, mara} <= set(row) for row in formation.frozen.teams)
    assert formation.rules_missed == 0


def test_what_cannot_be_kept_is_told_by_name_with_what_to_loosen(world: World) -> None:
    offering = classroom(world, ("Luis", "Mara", "Nico", "Olga"))
    given = {"size": "2", "language": "must", "countries": "4", "institutions": "1", "hours": "0", "hours_weight": "wish", "zones": "8", "pairs-count": "0"}
    answer = browser(world.teacher).post(f"/offerings/{offering.pk}/form_teams/", given)
    shown = answer.content.decode()
    assert (answer.status_code, TeamFormation.objects.count()) == (409, 0)
    assert "Want fewer countries, form larger teams, or invite a class of another country." in shown


def test_a_member_sees_mates_zones_common_hours_and_the_next_meeting_in_their_own_time(world: World) -> None:
    offering = classroom(world)
    schedule(offering, by=actor(world.teacher), now=NOW, days_without=[])
    for name in ("Luis", "Mara", "Nico", "Zoe", "Yara", "Xico"):
        hours = "0" * 18 + "11" + "0" * 148
        Availability(person=by_name(name), zone="America/Lima", hours=hours).save()
    formation = published(world, offering)
    zoe = by_name("Zoe")
    shown = get(zoe, f"/teams/{team_of(formation, 'Zoe').pk}/")
    assert "America/Sao_Paulo: now 12:00" in shown
    assert "America/Lima: now 10:00" in shown
    assert "Monday" in shown
    assert "20:00–22:00" in shown  # six to eight in the evening in Lima
    assert "Next meeting" in shown
    assert "Everybody speaks: " in shown
    assert "first_language" not in shown


def test_a_stranger_and_another_team_see_nothing(world: World) -> None:
    formation = published(world, classroom(world))
    mine, other = team_of(formation, "Luis"), next(team for team in formation.teams.all() if team != team_of(formation, "Luis"))
    get(by_name("Luis"), f"/teams/{mine.pk}/")
    get(by_name("Luis"), f"/teams/{other.pk}/", 404)
    get(world.dora, f"/teams/{mine.pk}/", 404)
    get(by_name("Luis"), f"/team-formations/{formation.pk}/", 404)
    get(by_name("Luis"), f"/team-memberships/{member(formation, 'Luis').pk}/")


@pytest.mark.parametrize("language", ["es", "pt-br", "fr"])
def test_the_pages_speak_the_readers_language(world: World, language: str) -> None:
    formation = published(world, classroom(world))
    Person.objects.filter(pk__in=[world.teacher.pk, by_name("Luis").pk]).update(language=language)
    words = {"es": ("Reequilibrar", "Por qué este equipo"), "pt-br": ("Reequilibrar", "Por que esta equipe"), "fr": ("Rééquilibrer", "Pourquoi cette équipe")}
    office, reader = words[language]
    for who, url, expected in (
        (world.teacher, f"/team-formations/{formation.pk}/", office),
        (by_name("Luis"), f"/teams/{team_of(formation, 'Luis').pk}/", reader),
    ):
        client = Client(headers={"accept-language": language})
        client.force_login(Person.objects.get(pk=who.pk))
        assert expected in client.get(url).content.decode()


def test_the_list_of_teams_asks_the_database_as_often_for_two_as_for_one(world: World) -> None:
    formation = published(world, classroom(world))
    asked = []
    for count in (2, 1):
        with CaptureQueriesContext(connection) as queries:
            shown = get(world.carlos, "/teams/?state=active")
        assert shown.count('href="/teams/0') == count
        asked.append(len(queries))
        formation.teams.filter(number=2).update(state="dissolved")
    assert asked[0] == asked[1]
