"""Category 1 in a real browser with JavaScript off: clicked and typed, from the agreement to the credential that verifies.

Each stage of the demo world has a call; the story is carried on at each by the people whose turn it is. The tests build on
one another in this order, so that the first that fails names the step.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser

from tests.browser.visitor import Visitor, a_visitor

pytestmark = [pytest.mark.browser, pytest.mark.committed, pytest.mark.wide]

HOME, HOST = "Andean Littoral University", "Mapocho Norte University"
PERSONAS = {name: f"{name}@andina.example" for name in ("ana", "bia", "rosa")}
PERSONAS |= {name: f"{name}@mapocho.example" for name in ("carlos", "ines", "raul")} | {"olga": "olga@hub.example", "chloe": "chloe@troisponts.example"}
RUNNING = re.compile(r"-running")  # as the demo world codes the offerings of this term
MEETING = re.compile(r"-running.*Meetings[1-9]", re.DOTALL)  # those of them with live meetings
PACE, MOST_LETTERS = "None: at your own pace", 6
CATALOGUE = (
    "code,offering,category,title_es,title_en,description_es,isced_f,level,credits,credit_system,workload_hours,language,cefr,mode,"
    "bandwidth,term,starts_on,ends_on,seats,zone,meetings\n"
    "BIO-210,2031-1,course,Ecología de humedales,Wetland ecology,Manglares y arrecifes.,0511,bachelor,5,sct-chile,130,es,B2,"
    "synchronous,video,2031-1,2031-01-13,2031-05-09,12,America/Santiago,Mon 18:00-19:50\n"
    "BIO-211,2031-1,course,Sin créditos,Without credits,Falta el número.,0511,bachelor,about three,sct-chile,130,es,B2,"
    "asynchronous,text,2031-1,2031-01-13,2031-05-09,12,America/Santiago,\n"
)


@dataclass
class Walk:
    """The people in their windows, and where their things stand."""

    browser: Browser
    site: str
    folder: Path
    windows: dict[str, Visitor] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def __call__(self, who: str) -> Visitor:
        """A persona, an address of the demo world, or "anybody" without an account."""
        if who not in self.windows:
            email = "" if who == "anybody" else PERSONAS.get(who, who)
            self.windows[who] = a_visitor(self.browser, self.site, email, java_script_enabled=False)
        return self.windows[who]

    def bucket(self, who: str, label: str) -> Visitor:
        """From the desk to the list behind one of its numbers."""
        return self(who).opens("/desk/").follows(label, exact=False)


@pytest.fixture(scope="module")
def walk(browser: Browser, site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    walk = Walk(browser, site, tmp_path_factory.mktemp("downloads"))
    yield walk
    for visitor in walk.windows.values():
        visitor.page.context.close()


def test_1_everybody_finds_institutions_and_who_may_do_what(walk: Walk) -> None:
    anybody = walk("anybody").opens("/organisations/").picks(HOST)
    anybody.reads("mapocho.example", "America/Santiago", "Units", "Terms")
    anybody.follows("Who may do what", within=anybody.page.locator("footer")).reads("Nominate", "Sign", "Coordinator")


def test_2_an_agreement_is_drafted_proposed_and_signed_by_both(walk: Walk) -> None:
    bia = walk("bia").opens("/agreements/").follows("Draft an agreement", exact=False)
    bia.types(code="ANDINA-PONTS-2031", starts_on="2031-01-01", ends_on="2033-12-31").chooses(partner="Three Bridges", category="Course")
    bia.chooses(**{"promises-0-host": "The partner"}).types(**{"promises-0-seats": "4"}).sends().does("Propose for signature")
    agreement = bia.path
    bia.does("Sign").reads("Waiting for signatures")
    walk("chloe").opens(agreement).does("Sign").reads("Signed")
    bia.opens(agreement).reads("Signed").follows("History").reads("Draft an agreement", "Propose for signature", "Sign", "Chloé Moreau")


def test_3_ana_searches_and_reads_an_offering_in_her_own_zone(walk: Walk) -> None:
    ana = walk("ana").opens("/").types(q="sostenibles").presses("Search").reads("Sustainable cities")
    ana.main.get_by_role("link", name="Sustainable cities").first.wait_for()
    offers = ana.main.locator("article", has_text=HOST)
    ana.follows("Sustainable cities", within=offers).reads("Live meetings", "Open for applications", HOST)
    calendar = ana.page.locator("link[type='text/calendar']").get_attribute("href")
    assert calendar
    with urlopen(walk.site + calendar) as answer:
        assert answer.read().startswith(b"BEGIN:VCALENDAR")


def test_4_a_small_catalogue_is_tried_then_imported_and_found(walk: Walk) -> None:
    file = walk.folder / "catalogue.csv"
    file.write_text(CATALOGUE, "utf-8")
    carlos = walk("carlos").opens("/organisations/").picks(HOST).follows("Import a catalogue")
    carlos.main.locator("input[type=file]").set_input_files(file)
    carlos.sends().waits_for("Now import it").reads("This was a trial: nothing was changed", "Lines of the file 1 0 0 1")
    carlos.follows("See the report line by line", exact=False).reads("about three")
    assert "Wetland ecology" not in walk("anybody").opens("/catalogue/?q=BIO-210").text
    carlos.page.go_back()
    carlos.does("Now import it").waits_for("Lines of the file 1 0 0 1")
    walk("anybody").opens("/").types(q="Wetland").presses("Search").waits_for("Wetland ecology")
    walk("anybody").follows("Wetland ecology").reads("Manglares y arrecifes.", HOST)


def test_5_ana_applies_and_sees_every_obstacle_before_she_submits(walk: Walk) -> None:
    ana = walk("ana").follows("Virtual exchange", exact=False).does("Apply")
    walk.places["application"] = ana.path
    ana.reads("No course is chosen", "This is a draft that only you can see.")
    ana.follows("Submit").sends(refused=True).reads("You have not chosen anything.")
    ana.opens(walk.places["application"]).follows("Choose and rank courses").chooses(choices_1="Sustainable cities", choices_2="Development economics").sends()
    ana.follows("Motivation and needs").types(motivation="It is not taught at home.", needs="Captions").sends()
    ana.follows("Attach a document").chooses(kind="Transcript of records").main.locator("input[type=file]").set_input_files({"name": "grades.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 grades %%EOF"})
    ana.sends().reads("grades.pdf", "Nothing stands in the way")
    ana.does("Submit").reads("Submitted")
    ana.follows("History").reads("Choose and rank courses", "Attach a document", "Submit", "Ana Quispe Torres")


def test_5_bia_nominates_ana(walk: Walk) -> None:
    bia = walk.bucket("bia", "To nominate").picks("Ana Quispe Torres").reads("Captions", "Sustainable cities")
    bia.follows("Nominate").types(band="1", because="Good standing.").sends().reads("Nominated", "Good standing.")
    walk("ana").opens(walk.places["application"]).reads("Nominated", "Good standing.")


def test_6_carlos_previews_and_publishes_the_allocation(walk: Walk) -> None:
    carlos = walk("carlos").opens("/calls/").picks("Seats are being given").does("Make an allocation preview")
    carlos.reads("A preview: nobody has been told", "Passed", HOME)
    carlos.follows("Publish this result").types(because="Priorities count, as announced.").sends().reads("Published", "Priorities count, as announced.")
    carlos.follows("History").reads("Make an allocation preview", "Publish this result", "Carlos Soto")


def test_6_a_placed_student_reads_her_letter_and_accepts(walk: Walk) -> None:
    olga = walk("olga").opens("/desk/")
    olga.page.locator("header summary", has_text="Olga").click()
    olga.follows("Outbox", within=olga.page.locator("header")).types(q="andina.example Una plaza").presses("Show results")
    olga.waits_for("Una plaza para ti")
    letters = [link.get_attribute("href") or "" for link in olga.main.locator("tbody th a", has_text="Una plaza para ti").all()]
    told = [(olga.opens(letter).finds(r"\S+@andina\.example"), olga.finds(r"/seats/[0-9a-f-]+/")) for letter in letters[:MOST_LETTERS]]
    # One with live meetings: she will look for them in her timetable.
    walk.places["student"], seat = next((email, seat) for email, seat in told if PACE not in walk("bia").opens(seat).text)
    student = walk(walk.places["student"]).opens(seat).reads("This seat is offered to you", HOST)
    student.does("Accept the seat").reads("The seat is yours.")


def test_7_home_drafts_what_it_will_recognise_and_presents_it(walk: Walk) -> None:
    name = walk(walk.places["student"]).page.locator("header .menu-name").inner_text()
    bia = walk.bucket("bia", "Learning agreements to prepare").waits_for(name).picks(name)
    walk.places["learning agreement"] = bia.path
    bia.follows("Draft a new version").chooses(**{"components-0-recognised": "recognised"})
    bia.types(**{"components-0-home_code": "EST-2", "components-0-home_title": "Optativa II", "components-0-home_credits": "4"})
    bia.types(because="What we recognise.").sends().reads("Optativa II")
    bia.does("Present for signature").reads("To be signed")


def test_7_three_sides_sign_the_same_version(walk: Walk) -> None:
    for who in (walk.places["student"], "bia", "carlos"):
        walk(who).opens(walk.places["learning agreement"]).does("Read and sign")
    agreement = walk("carlos").waits_for("Signed by all").reads("In force", "Optativa II")
    assert agreement.fetches("This version as PDF").startswith(b"%PDF")
    agreement.follows("History").reads("Draft a new version", "Present for signature", "Read and sign")


def test_8_the_student_sees_her_meetings_in_her_zone_and_in_her_calendar(walk: Walk) -> None:
    student = walk(walk.places["student"]).opens("/timetable/").reads("All times are in your zone, America/Lima.")
    student.follows("Everything as a table").reads("At the host", "America/Santiago")
    student.follows("Make an access token").types(label="My phone").chooses(purpose="A calendar").sends()
    with urlopen(walk.site + student.finds(r"/calendar/\S+\.ics")) as answer:
        assert b"BEGIN:VEVENT" in answer.read()


def test_8_ines_takes_attendance(walk: Walk) -> None:
    ines = walk("ines").opens("/desk/").follows("My courses", exact=False)
    course = next(course for course in addresses(ines, MEETING) if HOME in ines.opens(course).text)
    walk.places["graded"] = ines.opens(course).main.locator("tbody tr", has_text=HOME).locator("th").first.inner_text()
    ines.follows("Attendance", exact=False).chooses(**{"marks-0-status": "Excused"}).types(because="Her connection failed.").sends()
    ines.reads("Excused").follows("History").reads("Take attendance", "Her connection failed.", "Inés Fuentes")


def test_9_results_are_entered_and_confirmed(walk: Walk) -> None:
    name = walk.places["graded"]
    ines = walk("ines").opens("/teaching/")
    for course in addresses(ines, RUNNING):
        if name in ines.opens(course).text:
            ines.follows("Results").main.locator("tr", has_text=name).locator("input[name$='-grade']").fill("6.1")
            ines.sends().reads("They are provisional until the office confirms them.")
    while name in walk.bucket("raul", "Results to confirm").text:
        walk("raul").picks(name).does("Confirm").reads("Final", "6.1")
        walk.places["result"] = walk("raul").path


def test_9_raul_issues_the_transcript(walk: Walk) -> None:
    raul = walk("raul").opens(walk.places["result"]).follows("Learning agreement").does("Issue the transcript").reads("6.1", "Passed")
    walk.places["transcript"] = raul.path
    first, _dash, last = raul.finds(r"\d{1,2} [A-Z][a-z]{2}( \d{4})? – \d{1,2} [A-Z][a-z]{2} \d{4}").partition(" – ")
    walk.places["first day"] = first if first[-4:].isdigit() else f"{first} {last[-4:]}"
    assert raul.fetches("Transcript").startswith(b"%PDF")


def test_9_rosa_decides_on_recognition(walk: Walk) -> None:
    name = walk.places["graded"]
    rosa = walk.bucket("rosa", "Recognition to decide").waits_for(name).picks(name).reads("Conversion of the credits", "Sources")
    rosa.follows("Recognise").types(because="As promised.").sends().reads("Recognised", "As promised.")
    rosa.follows("History").reads("Recognise", "As promised.", "Rosa Salazar")


def test_10_credentials_are_issued_and_anybody_verifies_one(walk: Walk) -> None:
    raul = walk("raul").opens(walk.places["transcript"]).does("Issue credentials")
    credentials = raul.main.locator("section", has=raul.page.get_by_role("heading", name="Credentials", exact=True))
    raul.goes(credentials.locator("tbody a").first)
    raul.waits_for("Download as a signed file")
    signed = raul.fetches("Download as a signed file (.jwt)")
    walk("anybody").opens("/zone/").chooses(zone="America/Lima").sends()  # west of the host: its days must not become the days before
    anybody = walk("anybody").opens("/verify/")
    anybody.main.locator("input[type=file]").set_input_files({"name": "credential.jwt", "mimeType": "application/jwt", "buffer": signed})
    anybody.presses("Verify").reads("Genuine and in force", walk.places["graded"], HOST)
    anybody.reads(f"From {walk.places['first day']}")
    anybody.opens("/verify/").types(text=signed.decode()[:-5] + "AAAAA").presses("Verify")
    assert "Genuine and in force" not in anybody.text
    raul.follows("History").reads("Issue credentials")


def test_the_operator_sees_every_letter_that_the_story_sent(walk: Walk) -> None:
    olga = walk("olga").opens("/messages/").types(q="ana@andina.example").presses("Show results")
    olga.waits_for("Postulación recibida").picks("Postulación recibida").reads("ana@andina.example", "Sent", "America/Lima")


def addresses(visitor: Visitor, words: re.Pattern[str]) -> list[str]:
    """Where the cards with these words lead to."""
    return [link.get_attribute("href") or "" for link in visitor.main.locator("article", has_text=words).get_by_role("link").all()]
