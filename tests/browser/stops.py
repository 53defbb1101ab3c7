"""Where the looks stop: at least one page of every template, and every kind of form field, for the people who see it.

A stop is a path and the links to follow from there by CSS, because the demo world's addresses are new each time.
"""

from dataclasses import dataclass
from urllib.parse import urljoin

from playwright.sync_api import Page

from tests.depth import Depth

TURNS = "/find-a-time/?zones=America/Lima%0AEurope/Paris%0AAsia/Manila&minutes=90&zone=Europe/Paris&starts_on=2027-02-01&ends_on=2027-05-30"
ROW, CARD = "main tbody th a", "main article h3 a"


def some(stops: tuple["Stop", ...], depth: Depth) -> tuple["Stop", ...]:
    """All of them, every fourth, or at the gate every twelfth."""
    return stops[:: {Depth.GATE: 12, Depth.WIDE: 4}.get(depth, 1)]


def act(verb: str) -> str:
    """The button of an act on a record's page."""
    return f"main .verbs a[href$='/{verb}/']"


def row(words: str) -> str:
    """The line of a list that has these words."""
    return f"main tbody tr:has-text('{words}') th a"


@dataclass(frozen=True)
class Stop:
    path: str
    links: tuple[str, ...] = ()
    status: int = 200

    def visit(self, page: Page, site: str) -> None:
        answer = page.goto(urljoin(site, self.path))
        for link in self.links:
            address = page.locator(link).first.get_attribute("href")
            answer = page.goto(urljoin(page.url, address or ""))
        assert answer, self
        assert answer.status == self.status, f"{answer.status} at {page.url}"

    def __str__(self) -> str:
        return " → ".join((self.path, *self.links))


PUBLIC = (
    Stop("/programmes/"), Stop("/programmes/", (ROW,)), Stop("/intakes/", (row("abierta"),)), Stop("/preparations/", (ROW,)),
    Stop("/"), Stop("/catalogue/?q=clima"), Stop("/catalogue/?q=sostenibles", (CARD,)),
    Stop("/policies/"), Stop("/policies/", (ROW,)),
    Stop("/calls/"), Stop("/calls/", (row("Open for applications"),)), Stop("/calls/", (row("Answered"), "main a[href$='/rules/']")),
    Stop("/status/"), Stop("/status/albufera.example/"), Stop("/emergencies/", (row("Flood"),)),
    Stop("/online-events/"), Stop("/online-events/?state=held", (ROW,)), Stop("/online-events/?state=published", (ROW,)),
    Stop("/online-events/?state=published", (ROW, "main a[href$='/register/']")), Stop("/handbook/teacher/"),
    Stop("/cases/"), Stop("/cases/?category=switch", (ROW,)), Stop("/observatory/casebook/"), Stop("/observatory/recommendations/?for=funders"), Stop("/online-events/attendance/"), Stop("/handbook/editor/"), Stop("/vsm-models/", (ROW,)),
    Stop("/verify/"), Stop("/organisations/"), Stop("/organisations/", (row("Mapocho Norte"),)),
    Stop("/handbook/"), Stop("/offline/"), Stop("/accessibility/"), Stop("/roles/"), Stop("/zone/"), Stop("/design/"),
    Stop("/observatory/"), Stop("/observatory/exchange/"), Stop("/observatory/exchange/?by=bandwidth"), Stop("/observatory/equity/"), Stop("/pooling-consents/", (ROW,)), Stop("/observatory/effect/"), Stop("/observatory/effect/?embed=1"), Stop("/observatory/outlook/"), Stop("/observatory/balances/"),
    Stop("/observatory/regions/oceania/"), Stop("/observatory/methods/"), Stop("/observatory/briefs/"), Stop("/observatory/briefs/", (CARD,)),
    Stop("/host/"), Stop("/host/apply/"), Stop("/host/confirm/not-a-token/", status=404), Stop("/host/sign/not-a-token/", status=404), Stop("/vacancies/", (ROW,)),
    Stop("/hosts/", (ROW,)), Stop("/concern/"), Stop("/concern/not-a-token/", status=404),
    Stop("/accounts/login/"), Stop("/accounts/password/reset/"), Stop("/nowhere/", status=404), Stop("/invitation/not-a-token/"),
)  # fmt: skip
PEOPLE: dict[str, tuple[Stop, ...]] = {
    "": PUBLIC,
    "lucia@graduates.example": (Stop("/studies/", (ROW,)), Stop("/awards/", (ROW,)), Stop("/award-recognitions/", (ROW,))),
    "camila@graduates.example": (Stop("/desk/"), Stop("/studies/", (ROW,)), Stop("/studies/", (ROW, act("ask_interruption")))),
    "valeria@graduates.example": (Stop("/admissions/", (ROW,)),),
    "oficina@albufera.example": (
        Stop("/programmes/", (ROW, act("arrange"))), Stop("/intakes/", (row("segunda"),)), Stop("/intakes/", (row("segunda"), act("rank"))),
        Stop("/admission-documents/?state=received", (ROW,)), Stop("/term-enrolments/?state=enrolled", (ROW, act("record_results"))),
    ),
    "s001@andina.example": (Stop("/participations/", (ROW,)), Stop("/mobilities/", (ROW,)), Stop("/preparation-modules/", (ROW,)), Stop("/pairings/", (ROW,))),
    "s009@andina.example": (Stop("/participations/", (ROW,)),),
    "ana@andina.example": (
        Stop("/desk/"), Stop("/calls/", (row("Open for applications"), act("apply"))), Stop("/applications/", (ROW,)),
        Stop("/registrations/", (ROW,)), Stop("/registrations/", (ROW, "main a[href*='/online-events/mine/']")),
        Stop("/learning-agreements/", (ROW,)), Stop("/timetable/"), Stop("/timetable/?view=table"), Stop("/enrolments/", (ROW,)),
        Stop("/transcripts/", (ROW,)), Stop("/decisions/", (ROW,)), Stop("/credentials/", (ROW,)),
        Stop("/availability/"), Stop("/series/", (ROW,)), Stop("/timetable/?view=table", ("main tbody tr:has-text('Water in three') th a",)), Stop(TURNS),
        Stop("/seats/", (ROW,)), Stop("/declarations/"), Stop("/appeals/"), Stop("/profile/", (act("edit_profile"),)), Stop("/profile/", (act("change_address"),)), Stop("/profile/", (act("make_token"),)),
        Stop("/placement-applications/", (ROW,)), Stop("/placement-applications/", (ROW, act("book"))), Stop("/placements/", (ROW,)), Stop("/placements/", (ROW, act("log_hours"))),
        Stop("/placements/", (ROW, act("evaluate"))), Stop("/placements/", (ROW, act("raise_concern"))), Stop("/placement-agreements/", (ROW,)),
        Stop("/accounts/2fa/"), Stop("/accounts/2fa/totp/activate/"), Stop("/accounts/2fa/webauthn/"), Stop("/accounts/password/change/"), Stop("/accounts/logout/"),
    ),
    "bia@andina.example": (
        Stop("/pooling-consents/", (row("Andean"), act("withdraw"))), Stop("/organisations/", (row("Andean"), act("pool_counts"))),
        Stop("/mobilities/"), Stop("/mobilities/", (ROW,)), Stop("/organisations/", (row("Andean"), act("record_mobility"))),
        Stop("/emergencies/", (row("earthquake"),)), Stop("/emergency-cases/"), Stop("/emergency-cases/", (ROW,)), Stop("/course-plans/", (ROW,)),
        Stop("/switches/", (ROW,)), Stop("/organisations/", (row("Andean"), act("declare_emergency"))), Stop("/organisations/", (row("Andean"), act("say_standing"))),
        Stop("/desk/"), Stop("/agreements/"), Stop("/agreements/", (ROW,)), Stop("/agreements/", ("main .verbs a",)),
        Stop("/applications/?state=submitted", (ROW,)), Stop("/applications/?state=submitted", (ROW, act("nominate"))), Stop("/organisations/", (row("Andean"), act("nominate_many"))),
        Stop("/learning-agreements/", (ROW, act("draft_version"))), Stop("/preparations/", (row("Porto"),)), Stop("/preparations/", (row("Porto"), act("plan_meetings"))),
        Stop("/placement-agreements/?state=signing", (ROW, act("sign"))), Stop("/placement-agreements/?state=signing", (ROW, act("draft_version"))),
        Stop("/placements/?state=completed", (ROW,)), Stop("/placement-evaluations/", (ROW,)), Stop("/placement-credits/", (ROW,)),
    ),
    "elena@litoral.example": (
        Stop("/desk/"), Stop("/hosts/", (row("Litoral"),)), Stop("/vacancies/?q=accesibles", (ROW,)), Stop("/vacancies/?q=accesibles", (ROW, act("edit"))),
        Stop("/vacancies/?q=accesibles", (ROW, act("offer_interviews"))), Stop("/vacancies/?q=accesibles", (ROW, act("rank"))), Stop("/interviews/", (ROW,)),
    ),
    "mario@litoral.example": (Stop("/desk/"), Stop("/placements/?state=running", (ROW,)), Stop("/placements/?state=running", (ROW, act("confirm_hours")))),
    "oficina@puentes.example": (Stop("/partner-fairs/", (ROW,)), Stop("/hosts/?state=vetting", (ROW,)), Stop("/hosts/?state=vetting", (ROW, act("check")))),
    "carlos@mapocho.example": (
        Stop("/team-formations/?state=published", (ROW,)), Stop("/team-formations/?state=published&sort=published_at", (ROW, act("rebalance"))), Stop("/teams/", (ROW,)),
        Stop("/desk/"), Stop("/calls/", (row("Not published"),)), Stop("/calls/", (row("Not published"), act("choose_offerings"))), Stop("/calls/", (row("Seats are being given"), act("allocate"))),
        Stop("/runs/", (ROW,)), Stop("/runs/", (ROW, "main a[href$='/allocation/']")), Stop("/runs/", (ROW, "main nav.tabs a[href$='/history/']")),
        Stop("/calls/", (row("Not published"), act("set_rules"))), Stop("/calls/", (row("Seats are being given"), "main a[href$='/allocation/']")), Stop("/calls/", (row("Seats are being given"), act("try_out"))),
        Stop("/calls/", (row("Reserved seats"), "main a[href$='/allocation/']")), Stop("/trials/", (ROW,)), Stop("/trials/?q=talleres", (ROW,)), Stop("/trials/?q=talleres", (ROW, act("vary"))),
        Stop("/organisations/", (row("Mapocho"), act("solve_files"))), Stop("/organisations/", (row("Mapocho"), act("solve_lists"))), Stop("/organisations/", (row("Mapocho"), act("choose_groups"))),
        Stop("/appeals/?state=filed", (ROW,)), Stop("/appeals/?state=filed", (ROW, act("grant"))),
        Stop("/organisations/", (row("Mapocho"), act("open_call"))), Stop("/organisations/", (row("Mapocho"), act("import_catalogue"))), Stop("/organisations/", (row("Mapocho"), act("add_opportunity"))),
        Stop("/opportunities/", (row("Mapocho"),)), Stop("/opportunities/", (row("Mapocho"), act("add_offering"))), Stop("/offerings/", (row("Mapocho"),)),
    ),
    "ines@mapocho.example": (
        Stop("/teaching/"), Stop("/teaching/", ("main article:has-text('-running'):has-text('Meetings30') a",)),
        Stop("/teaching/", ("main article:has-text('-running'):has-text('Meetings30') a", "main a[href$='/results/']")),
        Stop("/teaching/", ("main article:has-text('-running'):has-text('Meetings30') a", "main a[href$='/take_attendance/']")),
        Stop("/sessions/", (ROW,)),
    ),
    "chloe@troisponts.example": (
        Stop("/find-a-time/"), Stop(TURNS + "&choose=rotation"), Stop("/find-a-time/?zones=Mars/Base", status=422), Stop("/find-a-time/?zones=America/Lima%0AAsia/Manila%0AAfrica/Nairobi%0APacific/Honolulu&minutes=180"),
        Stop("/series/", (ROW, act("replan"))), Stop("/series/", (ROW, act("add_participants"))), Stop("/series/", (ROW, act("remove_participants"))),
        Stop("/series/", (ROW, "main tbody tr:nth-child(6) th a", act("prepare"))), Stop("/organisations/", (row("Three Bridges"), act("make_series"))),
    ),
    "raul@mapocho.example": (Stop("/desk/"), Stop("/results/", (ROW,)), Stop("/transcripts/", (ROW,))),
    "rosa@andina.example": (Stop("/decisions/?state=proposed", (ROW,)), Stop("/decisions/?state=proposed", (ROW, act("recognise_partly"))), Stop("/concerns/", (ROW,)), Stop("/award-recognitions/", (ROW, act("evaluate")))),
    "pilar@cerros.example": (
        Stop("/desk/"), Stop("/exchanges/", (row("Running"),)), Stop("/exchanges/", (row("Running"), "main a[href$='/watch/']")),
        Stop("/exchanges/", (row("Running"), "main a[href$='/watch/']", "main .todo a.button")), Stop("/exchanges/", (row("Running"), act("draft_plan"))),
        Stop("/exchanges/", (row("Running"), act("import_roster"))), Stop("/roster-files/", (ROW,)), Stop("/exchange-teams/", (ROW,)), Stop("/exchange-tasks/", (ROW,)),
        Stop("/submissions/", (ROW,)), Stop("/check-ins/", (ROW,)), Stop("/partner-wishes/?state=draft", (ROW, act("edit"))),
    ),
    "duarte@ria.example": (Stop("/exchanges/", (ROW,)), Stop("/exchanges/", (ROW, act("sign_plan")))),
    "liza@bahia.example": (
        Stop("/partner-wishes/?state=published"), Stop("/partner-wishes/?state=published", (row("Bay"),)), Stop("/partner-wishes/?state=published", (row("Mapocho"),)),
        Stop("/partner-invitations/", (ROW,)), Stop("/partner-fairs/", (ROW,)), Stop("/fair-entries/", (ROW,)),
    ),
    "s010@troisponts.example": (Stop("/desk/"), Stop("/participants/", (ROW,)), Stop("/participants/", (ROW, act("check_in"))), Stop("/exchange-tasks/", (ROW, act("hand_in")))),
    "olga@hub.example": (Stop("/desk/"), Stop("/messages/"), Stop("/messages/", (ROW,)), Stop("/hubs/", (ROW, act("hand_in_table"))), Stop("/series-breaks/?state=proposed", (ROW, act("splice")))),
}  # fmt: skip
