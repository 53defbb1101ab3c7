"""Categories 2 to 6 in a real browser on a real server with JavaScript off: each is found from the first page in two clicks, and
one short path of each is walked from what the demo world holds to a change that the other side sees."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from playwright.sync_api import Browser

from tests.browser.visitor import Visitor, a_visitor

pytestmark = [pytest.mark.browser, pytest.mark.committed, pytest.mark.wide]

People = Callable[[str], Visitor]


@pytest.fixture(scope="module")
def people(browser: Browser, site: str) -> Iterator[People]:
    """Everybody in a window of their own; "" has no account."""
    windows: dict[str, Visitor] = {}

    def window(email: str) -> Visitor:
        if email not in windows:
            windows[email] = a_visitor(browser, site, email, java_script_enabled=False)
        return windows[email]

    yield window
    for visitor in windows.values():
        visitor.page.context.close()


def test_2_a_place_in_a_programme_that_one_declines_goes_to_the_next(people: People) -> None:
    people("s003@andina.example").opens("/").follows("Entire programme abroad").follows("Master in Water Management").reads("València, Spain")
    people("nicolas@graduates.example").opens("/desk/").follows("Answer", exact=False).does("Decline the place").reads("Declined")
    tomas = people("tomas@graduates.example").opens("/desk/").waits_for("A place is offered").follows("Answer", exact=False)
    tomas.does("Accept the place").reads("Go to the studies").opens("/desk/").reads("Enrol in the next term")
    office = people("oficina@albufera.example").opens("/intakes/").picks("segunda").reads("Places offered or taken 2 of 2")
    assert [row.inner_text().split("\t")[2].strip() for row in office.main.locator("tbody tr").all()] == ["Accepted, conditions open", "Declined by the student", "Admitted", "Handed in"]


def test_3_hours_that_the_host_confirms_count_for_the_student(people: People) -> None:
    people("").opens("/").follows("Work experience").picks("Accessible websites").reads("Datos del Litoral", "Sign in to apply")
    ana = people("ana@andina.example").opens("/desk/").follows("Correct hours", exact=False).reads("13.5 hours to be confirmed")
    mario = people("mario@litoral.example").opens("/desk/").follows("Placements with hours to confirm", exact=False).picks("Ana Quispe Torres").follows("Confirm hours")
    for day in mario.main.get_by_role("checkbox").all():
        day.check()
    mario.sends().reads("103.5 of about 234 hours confirmed")
    ana.page.reload()
    ana.reads("103.5 of about 234 hours confirmed")


def test_4_a_student_who_asks_for_help_stands_on_the_teachers_list(people: People) -> None:
    people("").opens("/").follows("Project, activity or event").picks("Online fair of student projects").reads("Registration")
    louis = people("s010@troisponts.example").opens("/participants/").picks("Louis Bernard Moreau").follows("Weekly check-in")
    louis.chooses(team_works="1", keeps_up="2").types(words="Nobody answers me.").main.get_by_role("checkbox").check()
    louis.sends()
    remy = people("remy@troisponts.example").opens("/desk/").follows("Exchanges running", exact=False).picks("Cities and water").follows("See who, why, and what to do", exact=False)
    remy.reads("Act now (2)", "Asks for help in the last check-in.", "Nobody answers me.")


def test_what_somebody_without_an_account_sends_from_a_page_that_is_told_to_nobody_arrives(people: People) -> None:
    stranger = people("").opens("/concern/").chooses(home="Andean Littoral University", kind="Too many hours").types(text="They write at night.")
    stranger.sends().reads("Thank you for telling us")
    stranger.goes(stranger.main.locator("a[href^='/concern/']").first).types(text="And on Sundays.").sends().reads("And on Sundays.")


def test_5_a_module_of_a_preparation_that_is_done_shows_at_the_office(people: People) -> None:
    people("").opens("/").follows("Preparation for physical mobility").picks("Bound for Porto").reads("everyday Portuguese", "Sign in to take part")
    flor = people("s009@andina.example").opens("/desk/").follows("Continue : Prepare", exact=False)
    bia = people("bia@andina.example").opens("/desk/").follows("Preparing to travel", exact=False).picks("Flor Huamán Quispe")
    assert "First Portuguese Link · 850 kB · 240 minutes Done" not in bia.text
    flor.does("I have done a module").reads("Meetings attended: 0 of 1")
    bia.page.reload()
    bia.reads("First Portuguese Link · 850 kB · 240 minutes Done")


def test_6_an_emergency_is_declared_students_say_how_they_are_and_it_is_lifted(people: People) -> None:
    people("").opens("/").follows("Temporary switch to online").reads("What each institution says about exchange in person and online")
    today, tomorrow = date.today(), date.today() + timedelta(days=1)
    bia = people("bia@andina.example").opens("/").follows("Prepare the declaration of an emergency")
    bia.types(title_en="Airports closed", starts_on=str(today), safety_en="Stay where you are.")
    bia.chooses(kind="Travel restriction", **{"places-0-country": "Portugal"}).main.locator("[name=directions][value=entering]").check()
    emergency = bia.sends().reads("This is a preview", "cannot enter").path
    bia.does("Declare").waits_for("No word yet")
    student = people("s003@andina.example").opens("/desk/").follows("I am safe / I need help", exact=False)
    student.chooses(answer="I am safe").sends().reads("Stay where you are.")
    bia.opens(emergency).waits_for("Safe 1").follows("Lift the restriction").types(on=str(today)).sends(refused=True).reads("It cannot end before it has begun")
    bia.types(on=str(tomorrow), return_on=str(tomorrow)).sends().reads("Lifted")
    student.opens("/desk/")
    assert "Airports closed" not in student.text
