"""The public catalogue: what is found, what a course's page tells each reader, and what it costs to look."""

import csv
import gzip
import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from vsm.exchange.agreements.models import Agreement
from vsm.exchange.applications.models import Call, CallOffering
from vsm.exchange.catalogue import indexing
from vsm.exchange.catalogue.models import Meeting, Offering, Opportunity
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Membership, Person, StudentRecord
from vsm.kit import clock
from vsm.web.public import catalogue

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 1, 20, 12, 0, tzinfo=UTC)
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
STATIC = Path(__file__).resolve().parents[2] / "src" / "vsm" / "web" / "static" / "vsm"
Make = Callable[..., Offering]


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(indexing, "open_offerings", [_open])
    catalogue._homes_of_the_minute.cache_clear()
    with clock.stopped_at(NOW):
        yield


def _open(now: datetime) -> Any:
    calls = CallOffering.objects.filter(call__state="published", call__opens_at__lte=now, call__closes_at__gt=now)
    return calls.values("offering_id")


@pytest.fixture
def host() -> Organisation:
    return organisation("mapocho.example", "Universidad Mapocho", "CL", "America/Santiago", credit_system="sct-chile")


@pytest.fixture
def home() -> Organisation:
    return organisation("lima.example", "Universidad de Lima Norte", "PE", "America/Lima", credit_system="peru")


def organisation(schac: str, name: str, country: str, zone: str, **facts: Any) -> Organisation:
    made = Organisation(schac=schac, name={"es": name}, country=country, zone=zone, languages=["es"], **facts)
    made.save()
    return made


@pytest.fixture
def make(host: Organisation) -> Make:
    def course(code: str, title: str = "Estadística aplicada", **facts: Any) -> Offering:
        about = {name: facts.pop(name) for name in ("level", "isced_f", "language", "credits", "prerequisites") if name in facts}
        opportunity = Opportunity(
            organisation=facts.pop("organisation", host), code=code, title={"es": title}, description={"es": "Datos y duda."},
            state="published", **{"isced_f": "0542", "credits": Decimal(6), "credit_system": "sct-chile", "language": "es", "cefr": "B1", **about},
        )  # fmt: skip
        opportunity.save()
        meetings = facts.pop("meetings", [(1, 18, 20), (3, 18, 20)])
        offering = Offering(
            opportunity=opportunity, code="2027-1",
            **{"starts_on": date(2027, 3, 1), "ends_on": date(2027, 6, 30), "zone": "America/Santiago", "seats": 5, "state": "published", **facts},
        )  # fmt: skip
        offering.save()
        Meeting.objects.bulk_create(Meeting(offering=offering, weekday=d, starts=time(a), ends=time(b)) for d, a, b in meetings)
        return offering

    return course


def call_with(offering: Offering, opens: int, closes: int, code: str = "C1") -> Call:
    made = Call(
        organisation=offering.opportunity.organisation, code=code, title={"es": f"Convocatoria {code}"}, zone="America/Santiago", state="published",
        opens_at=NOW + timedelta(days=opens), closes_at=NOW + timedelta(days=closes), nominate_by=NOW + timedelta(days=closes + 9),
    )  # fmt: skip
    made.save()
    CallOffering.objects.create(call=made, offering=offering, seats=3)
    return made


def student(home: Organisation) -> Person:
    ana = Person.objects.create_user("ana@lima.example", "a long password", name="Ana", language="en", zone="America/Lima")
    Membership(person=ana, organisation=home, role="student", starts_on=date(2026, 1, 1)).save()
    StudentRecord(person=ana, home=home, student_number="1", programme="Economics", level="bachelor").save()
    return ana


def agree(home: Organisation, host: Organisation, **facts: Any) -> None:
    terms = {"starts_on": date(2027, 1, 1), "ends_on": date(2027, 12, 31), "state": "signed", **facts}
    Agreement(code=f"{home.schac}-{host.schac}", first=home, second=host, **terms).save()


def browser(zone: str = "America/Lima", language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.cookies["vsm_zone"] = zone
    return client


def words(html: bytes | str) -> str:
    """The text of a page as it is read."""
    text = html.decode() if isinstance(html, bytes) else html
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).strip()


def found(client: Client, query: str = "") -> str:
    """How many were found, in the page's own words."""
    return words(re.search(r'id="found"[^>]*>(.*?)</span>', client.get(f"/catalogue/{query}").content.decode())[1])  # type: ignore[index] -- a page without it fails


# The search -----------------------------------------------------------------------------------------------------------


def test_the_number_of_results_is_told_in_words(make: Make) -> None:
    make("A1")
    make("A2", "Historia")
    indexing.rebuild()
    assert [found(browser(), query) for query in ("", "?q=historia", "?q=historia&language=fr")] == [
        "2 courses", "1 course for “historia”", "No courses for “historia”",
    ]  # fmt: skip


def test_what_has_begun_is_shown_only_on_request(make: Make) -> None:
    make("A1")
    make("A2", starts_on=date(2026, 8, 1), ends_on=date(2026, 12, 1))
    indexing.rebuild()
    assert (found(browser()), found(browser(), "?begun=true")) == ("1 course", "2 courses")


def test_drafts_are_not_found(make: Make) -> None:
    make("A1", state="draft")
    indexing.rebuild()
    assert found(browser(), "?begun=true") == "No courses"


def test_a_home_sees_only_what_its_agreements_cover_and_is_told_so(make: Make, home: Organisation, host: Organisation) -> None:
    make("A1", level="bachelor")
    make("A2", level="master")
    make("A3", level="bachelor", starts_on=date(2028, 3, 1), ends_on=date(2028, 6, 30))
    agree(home, host, levels=["bachelor"], isced_f=["05"])
    indexing.rebuild()
    assert (found(browser()), found(browser(), f"?home={home.pk}")) == ("3 courses", "1 course")
    page = words(browser().get(f"/catalogue/?home={home.pk}").content)
    assert "Of the courses, only those that the agreements in force of Universidad de Lima Norte cover are shown." in page


def test_a_students_own_home_is_chosen_beforehand_and_can_be_left(make: Make, home: Organisation, host: Organisation) -> None:
    make("A1", level="bachelor")
    make("A2", level="master")
    agree(home, host, levels=["bachelor"])
    indexing.rebuild()
    client = browser()
    client.force_login(student(home), backend=BACKEND)
    assert (found(client), found(client, "?home=all")) == ("1 course", "2 courses")


def test_links_keep_the_whole_question(make: Make, home: Organisation, host: Organisation) -> None:
    agree(home, host)
    for number in range(21):
        make(f"A{number}")
    indexing.rebuild()
    page = browser().get(f"/catalogue/?q=estadistica&home={home.pk}&language=es&sort=title").content.decode()
    assert re.findall(r'<a href="([^"]+)" rel="next">', page) == [
        f"?q=estadistica&amp;home={home.pk}&amp;language=es&amp;sort=title&amp;page=2"
    ]


def test_a_slip_of_the_pen_is_answered_with_similar_words_and_says_so(make: Make) -> None:
    make("A1")
    indexing.rebuild()
    page = words(browser().get("/catalogue/?q=estadistika").content)
    assert "No exact match; showing similar words." in page
    assert "1 course for “estadistika”" in page


def test_nothing_found_comes_with_ways_on(make: Make) -> None:
    make("A1")
    indexing.rebuild()
    page = words(browser().get("/catalogue/?q=xyzzyqq&language=es").content)
    assert all(part in page for part in ("Nothing was found.", "Use fewer or more general words", "Search without filters"))


def test_without_an_index_the_page_says_what_happens() -> None:
    for file in sorted((indexing.index()._directory).glob("current.json")):
        file.unlink()
    indexing.index()._opened = None
    answer = browser().get("/catalogue/?q=datos")
    assert answer.status_code == 200
    assert "The search is being prepared" in words(answer.content)


def test_a_card_tells_the_meetings_on_the_readers_clock_and_warns_of_the_night(make: Make) -> None:
    make("A1")
    indexing.rebuild()
    assert "Tue, Thu 16:00–18:00 for you (America/Lima)" in words(browser().get("/catalogue/").content)
    tokyo = words(browser("Asia/Tokyo").get("/catalogue/").content)
    assert "Wed, Fri 06:00–08:00 for you (Asia/Tokyo), a day later than at the host" in tokyo
    assert "Before 06:00 where you are" in words(browser("Asia/Kolkata").get("/catalogue/").content)


def test_a_title_in_another_language_is_marked_for_the_voice(make: Make) -> None:
    make("A1")
    indexing.rebuild()
    assert '<a href="/catalogue/' in browser(language="es").get("/catalogue/").content.decode()
    assert re.search(r'<h3><a href="[^"]+" lang="es">Estadística aplicada', browser(language="fr").get("/catalogue/").content.decode())
    assert not re.search(r'<h3><a href="[^"]+" lang=', browser(language="es").get("/catalogue/").content.decode())


def test_a_script_gets_only_the_answer_and_a_clean_address(make: Make) -> None:
    make("A1")
    indexing.rebuild()
    answer = browser().get("/catalogue/?q=&home=&language=es&nonsense=1", headers={"HX-Request": "true"})
    assert "<html" not in answer.content.decode()
    assert answer.headers["HX-Push-Url"] == "/catalogue/?language=es"
    assert "HX-Request" in answer.headers["Vary"]


@pytest.mark.parametrize("query", ["?page=999999", "?page=-1", "?language=%00&q=%00", "?sort=evil", "?home=nobody", "?month=x&institution=y"])
def test_a_hostile_address_gets_a_page(make: Make, query: str) -> None:
    make("A1")
    indexing.rebuild()
    assert browser().get(f"/catalogue/{query}").status_code == 200


def test_words_typed_by_a_reader_are_shown_not_run(make: Make) -> None:
    make("A1", "<script>alert(1)</script>")
    indexing.rebuild()
    page = browser().get("/catalogue/?q=<script>alert(2)</script>").content.decode()
    assert "<script>alert" not in page


@pytest.mark.parametrize("count", [1, 3])
def test_the_search_asks_the_database_five_times_and_then_twice_however_much_is_found(make: Make, count: int) -> None:
    for number in range(count):
        make(f"A{number}")
    indexing.rebuild()
    asked = []
    for _visit in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert browser().get("/catalogue/").status_code == 200
        asked.append(len(queries))
    assert asked == [5, 2]


@pytest.mark.parametrize("changed", ["opportunity", "offering", "host"])
def test_a_card_follows_every_change_of_what_it_shows(make: Make, host: Organisation, changed: str) -> None:
    offering = make("A1")
    indexing.rebuild()
    before = words(browser().get("/catalogue/").content)
    if changed == "opportunity":
        offering.opportunity.title = {"es": "Otra cosa"}
        offering.opportunity.save()
    elif changed == "offering":
        offering.seats = 77
        offering.save()
    else:
        host.name = {"es": "Otra cosa"}
        host.save()
    after = words(browser().get("/catalogue/").content)
    assert ("Otra cosa" in after or "Seats 77" in after)
    assert "Otra cosa" not in before
    assert "Seats 77" not in before


def test_a_first_visit_weighs_less_than_fifty_kilobytes(make: Make) -> None:
    for number in range(20):
        make(f"A{number}", f"Estadística aplicada número {number}")
    indexing.rebuild()
    htmx = Path(__import__("django_htmx").__file__).parent / "static" / "django_htmx" / "htmx-4.min.js"
    parts = [browser().get("/catalogue/").content, *((STATIC / name).read_bytes() for name in ("vsm.css", "vsm.js", "favicon.svg")), htmx.read_bytes()]
    assert sum(len(gzip.compress(part, 6)) for part in parts) < 40_000


# The list as CSV ------------------------------------------------------------------------------------------------------


def test_the_csv_holds_every_result_not_only_the_page(make: Make) -> None:
    for number in range(23):
        make(f"A{number:02d}")
    make("B1", "Historia")
    indexing.rebuild()
    answer = browser().get("/catalogue.csv?q=estadistica&sort=title")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode().removeprefix("\ufeff"))))
    assert sorted(row["code"] for row in rows) == [f"A{number:02d}" for number in range(23)]
    assert (rows[0]["title"], rows[0]["credits"], rows[0]["meetings"]) == ("Estadística aplicada", "6.00", "Tue 18:00-20:00 | Thu 18:00-20:00")


def test_the_csv_of_a_home_holds_only_what_is_covered(make: Make, home: Organisation) -> None:
    make("A1")
    agree(home, organisation("other.example", "Otra", "BR", "America/Sao_Paulo"))
    indexing.rebuild()
    answer = browser().get(f"/catalogue.csv?home={home.pk}")
    assert len(b"".join(answer.streaming_content).decode().strip().splitlines()) == 1


# A course's page ------------------------------------------------------------------------------------------------------


def test_a_course_tells_its_facts_with_names_instead_of_codes(make: Make) -> None:
    page = words(browser().get(f"/catalogue/{make('A1').pk}/").content)
    for part in (
        "Natural sciences, mathematics and statistics › Mathematics and statistics (ISCED-F 0542)",
        "Spanish, at least B1 (an intermediate level)",
        "You need to see and be seen: a connection that carries a video call.",
        "Tuesday 16:00–18:00", "Tuesday 18:00–20:00",
    ):  # fmt: skip
        assert part in page


def test_a_course_tells_when_clocks_move_its_hours_for_the_reader(make: Make) -> None:
    page = words(browser().get(f"/catalogue/{make('A1').pk}/").content)
    # Santiago leaves summer time on 4 April 2027; Lima has none.
    assert "From 6 Apr 2027 on one hour later for you, because clocks change." in page


def test_credits_are_converted_to_the_readers_home_system_with_sources(make: Make, home: Organisation) -> None:
    offering = make("A1")
    stranger = words(browser().get(f"/catalogue/{offering.pk}/").content)
    client = browser()
    client.force_login(student(home), backend=BACKEND)
    ana = words(client.get(f"/catalogue/{offering.pk}/").content)
    assert re.search(r"6 .*? come to about [\d.]+ ECTS", stranger)
    assert re.search(r"6 .*? come to about [\d.]+ .{3,40} at Universidad de Lima Norte\.", ana)
    assert "Sources:" in stranger


@pytest.mark.parametrize(
    ("opens", "closes", "says"),
    [
        (-1, 9, "Open for applications Convocatoria C1 Closes Fri 29 Jan 2027, 07:00 (America/Lima) Sign in to apply"),
        (3, 9, "Coming soon Convocatoria C1 Opens Sat 23 Jan 2027, 07:00 (America/Lima) See open courses in this field"),
        (-9, -1, "Closed for applications Convocatoria C1 See open courses in this field"),
    ],
)
def test_what_can_be_done_follows_the_call(make: Make, opens: int, closes: int, says: str) -> None:
    offering = make("A1")
    call_with(offering, opens, closes)
    assert says in words(browser().get(f"/catalogue/{offering.pk}/").content)


def test_a_student_applies_at_once_and_staff_see_the_history(make: Make, home: Organisation, host: Organisation) -> None:
    offering = make("A1")
    call = call_with(offering, -1, 9)
    client = browser()
    client.force_login(student(home), backend=BACKEND)
    page = client.get(f"/catalogue/{offering.pk}/").content.decode()
    assert f'href="/calls/{call.pk}/apply/">Apply now' in page
    assert "/history/" not in page
    carlos = Person.objects.create_user("carlos@mapocho.example", "a long password", name="Carlos", language="en")
    Membership(person=carlos, organisation=host, role="coordinator", starts_on=date(2026, 1, 1)).save()
    client.force_login(carlos, backend=BACKEND)
    page = client.get(f"/catalogue/{offering.pk}/").content.decode()
    assert f"/offerings/{offering.pk}/history/" in page
    assert "Apply now" not in page


def test_a_course_in_no_call_says_so(make: Make) -> None:
    assert "This course is not part of a call yet." in words(browser().get(f"/catalogue/{make('A1').pk}/").content)


def test_a_course_without_meetings_says_how_it_is_studied(make: Make) -> None:
    page = words(browser().get(f"/catalogue/{make('A1', meetings=[], mode='asynchronous').pk}/").content)
    assert "None: you study in your own time, between the first and the last day." in page


def test_a_draft_is_there_for_its_office_only(make: Make, host: Organisation) -> None:
    offering = make("A1", state="draft")
    client = browser()
    assert [client.get(f"/catalogue/{offering.pk}{tail}").status_code for tail in ("/", ".ics")] == [404, 404]
    carlos = Person.objects.create_user("carlos@mapocho.example", "a long password", name="Carlos", language="en")
    Membership(person=carlos, organisation=host, role="coordinator", starts_on=date(2026, 1, 1)).save()
    client.force_login(carlos, backend=BACKEND)
    assert "A draft: only your office sees this page." in words(client.get(f"/catalogue/{offering.pk}/").content)


def test_markup_in_a_courses_texts_is_shown_not_run(make: Make) -> None:
    offering = make("A1", "<script>alert(1)</script>", prerequisites={"es": "<img src=x onerror=alert(1)>"})
    page = browser().get(f"/catalogue/{offering.pk}/").content.decode()
    assert "<script>alert" not in page
    assert "<img" not in page


def test_numbers_in_the_drawing_have_points_in_every_language(make: Make) -> None:
    page = browser(language="es").get(f"/catalogue/{make('A1').pk}/").content.decode()
    assert re.findall(r'<rect class="block"[^>]*\d,\d', page) == []
    assert len(re.findall(r'<rect class="block"', page)) == 4


# Its calendar ---------------------------------------------------------------------------------------------------------


def test_the_calendar_holds_every_weekly_meeting_until_sessions_are_scheduled(make: Make) -> None:
    offering = make("A1", ends_on=date(2027, 3, 31))
    answer = browser().get(f"/catalogue/{offering.pk}.ics")
    text = answer.content.decode().replace("\r\n ", "")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert re.findall(r"DTSTART;TZID=America/Santiago:(\S+)", text)[:3] == ["20270302T180000", "20270304T180000", "20270309T180000"]
    assert text.count("BEGIN:VEVENT") == 9
    assert "SUMMARY;LANGUAGE=en:Estadística aplicada" in text


def test_the_same_feed_has_the_same_bytes(make: Make) -> None:
    offering = make("A1")
    assert browser().get(f"/catalogue/{offering.pk}.ics").content == browser().get(f"/catalogue/{offering.pk}.ics").content


# Seen in a browser ----------------------------------------------------------------------------------------------------


def test_every_page_is_marked_up_without_inline_code(make: Make) -> None:
    offering = make("A1")
    call_with(offering, -1, 9)
    indexing.rebuild()
    for address in ("/catalogue/", f"/catalogue/{offering.pk}/"):
        page = browser().get(address).content.decode()
        assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=\"", page) == []
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        assert '<meta name="description" content="' in page


def test_filters_stay_open_while_they_are_used_and_are_closed_on_a_fresh_page(make: Make) -> None:
    make("A1")
    indexing.rebuild()
    part = browser().get("/catalogue/?language=es", headers={"HX-Request": "true"}).content.decode()
    whole = browser().get("/catalogue/?language=es").content.decode()
    assert ('id="filters" open' in part, 'id="filters" open' in whole) == (True, False)
