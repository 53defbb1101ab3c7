"""Lists and records: the same for a program as for a reader, page by page, without a query for each item."""

import csv
import dataclasses
import io
import re
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Prefetch
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from tests.api.caller import Caller, is_problem
from tests.api.persons import READERS, actor, reader_of
from tests.depth import Depth
from vsm.demo import World
from vsm.exchange.catalogue.labels import FIELD_LABELS
from vsm.exchange.institutions.actions import add_unit
from vsm.exchange.people.models import Person
from vsm.kit.actors import SYSTEM
from vsm.kit.ids import new_id
from vsm.kit.resources import RESOURCES, Resource

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ONE_OF_A_KIND = {"hub"}  # an installation has just one

# One page of a list takes these queries, whatever its length, and one for each thing that its resource fetches beside it.
CALLER_AND_PAGE = 3  # the token, the roles, the page
# Who handles a concern, its buttons ask; the sessions of the reader below are of courses, which have no series to fetch.
BUT = {"concern": 1, "session": -1}
# One more query for each item: an emergency's buttons hang on the states of its cases (and on signatures that are missing), a
# placement's mentor is known by address until there is an account, a stay's learning agreement lies in a lower slice, whether one can join a
# preparation hangs on one's own stays, adding to teams on who is in none. Literal for one and for the most.
GROWING = {"emergency": (5, 6), "hours_entry": (4, 6), "mobility": (5, 7), "placement": (6, 8), "preparation": (4, 4), "team_formation": (6, 6)}
# Takes a query less where the first items have nothing to fetch: who signed, which the lottery of the world decides.
AT_MOST = {"learning_agreement"}
# Whose list is all of one kind: a session belongs to a course or to a series, and only the latter fetches who leads it.
READER = {"session": "ines"}
# The demo world has no three of these that one of its people sees.
FEW = {
    "appeal": 2, "availability": 1, "award_recognition": 1, "companion": 2, "concern": 1, "condition": 1, "conferral": 1, "emergency": 2,
    "interruption": 1, "online_event": 2, "partner_fair": 1, "placement_credit": 1, "policy": 1, "preparation": 1, "programme": 1,
    "safeguarding_officer": 1, "signing_link": 1, "team": 2, "team_formation": 2, "trial": 1,
}  # fmt: skip
# Nor one of these: they come with releases of data, with an upload, or belong to one person alone.
NOT_IN_THE_WORLD = {"case", "casebook_review", "declaration", "estimate_run", "publication", "release", "self_assessment", "series_break", "vsm_model"}


def fetched_beside(lookups: Iterable[str | Prefetch[Any]], joined: Iterable[str] = ()) -> int:
    """How many queries fetch these for all items at once: one for each step of each path that the page has not joined, and those of
    a query set of its own."""
    prefetched = [each if isinstance(each, Prefetch) else Prefetch(each) for each in lookups]
    return len(steps(each.prefetch_through for each in prefetched) - steps(joined)) + sum(
        fetched_beside(each.queryset._prefetch_related_lookups) for each in prefetched if each.queryset is not None
    )


def steps(paths: Iterable[str]) -> set[tuple[str, ...]]:
    """a__b: first a, then b of it."""
    return {path[: number + 1] for path in (tuple(each.split("__")) for each in paths) for number in range(len(path))}


def takes(noun: str) -> int:
    entry = RESOURCES[noun]
    declared = [*entry.prefetch, *entry.model._default_manager.all()._prefetch_related_lookups]
    return CALLER_AND_PAGE + fetched_beside(declared, entry.related) + BUT.get(noun, 0)


def queries_of(caller: Caller, noun: str, limit: int) -> int:
    with CaptureQueriesContext(connection) as queries:
        answer = caller.get(f"/{RESOURCES[noun].plural}", {"limit": limit})
    assert len(answer.json()["items"]) == limit
    return len(queries)


@pytest.mark.by_name
@pytest.mark.usefixtures("three_of_each")
@pytest.mark.parametrize("noun", sorted(RESOURCES))
def test_a_list_takes_as_many_queries_for_three_items_as_for_one(world: World, calling: Callable[..., Caller], noun: str) -> None:
    if noun in NOT_IN_THE_WORLD:
        assert RESOURCES[noun].visible_to(SYSTEM).count() == 0 or noun in {"declaration", "self_assessment"}
        return
    most = 1 if noun in ONE_OF_A_KIND else FEW.get(noun, 3)
    caller = calling(READER.get(noun) or reader_of(world, noun, most))
    caller.get(f"/{RESOURCES[noun].plural}", {"limit": 1})  # what is read once a process is read now
    expected = GROWING.get(noun) or (takes(noun), takes(noun))
    counted = tuple(queries_of(caller, noun, limit) for limit in (1, most))
    assert counted == expected or (noun in AT_MOST and all(found <= bound for found, bound in zip(counted, expected, strict=True)))


def test_a_list_that_fetches_item_by_item_would_be_found(world: World, calling: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without its joins a list takes more queries for more items."""
    entry, caller = RESOURCES["membership"], calling("bia")
    bare = dataclasses.replace(entry, related=())
    monkeypatch.setattr(type(entry), "visible_to", lambda self, who: entry.model.objects.visible_to(who) if self is entry else bare.visible_to(who))
    assert queries_of(caller, "membership", 3) > queries_of(caller, "membership", 1) > takes("membership")


@pytest.mark.walk
@pytest.mark.parametrize("reader", READERS)
def test_a_program_sees_just_what_the_pages_show(world: World, calling: Callable[..., Caller], reader: str) -> None:
    """Every list read to its end by REST, and page by page in the browser, names the same records; each can be read alone."""
    caller, client = calling(reader), Client()
    if reader:
        client.force_login(world.people[reader], backend=BACKEND)
    seen = 0
    for entry in RESOURCES.values():
        items, alone = caller.everything(f"/{entry.plural}"), [field.name for field in entry.fields if field.alone]
        shown = ids_on_pages(client, entry.plural)
        assert sorted(item["id"] for item in items) == sorted(shown), entry.plural
        assert len(set(shown)) == len(shown)
        for item in items[:: max(1, len(items) // 3)][:3]:
            by_itself = caller.get(f"/{entry.plural}/{item['id']}").json()
            assert by_itself | dict.fromkeys(alone) == item
        seen += len(items)
    assert seen > (1500 if reader == "olga" else 60)


def ids_on_pages(client: Client, plural: str) -> list[str]:
    """The identifiers in the CSV that the list's page offers: every row of it. The page itself shows the first ones, and how many there are."""
    downloaded = client.get(f"/{plural}.csv")
    rows = list(csv.reader(io.StringIO(b"".join(downloaded.streaming_content).decode("utf-8-sig"))))[1:]
    ids = [row[0] for row in rows]
    page = client.get(f"/{plural}/")
    if page.status_code == 200 and page.context and "listing" in page.context:
        listing = page.context["listing"]
        assert listing.total == len(ids), plural
        on_page = [UUID(re.search(r"[0-9a-f-]{36}", row["url"])[0]) for row in listing.rows if re.search(r"[0-9a-f-]{36}", row["url"])]
        assert {str(pk) for pk in on_page} <= set(ids)
    return ids


def test_pages_have_no_gaps_and_no_doubles_while_others_add(world: World, calling: Callable[..., Caller]) -> None:
    caller, home = calling("olga"), world.organisations["andina"]
    before = [item["id"] for item in caller.everything("/units")]
    read, cursor, added = [], "", []
    while True:
        page = caller.get("/units", {"limit": 3, "cursor": cursor}).json()
        assert len(page["items"]) <= 3
        read += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if len(added) < 4:
            made = add_unit(home, by=actor(world, "olga"), now=world.now, code=f"NEW-{len(added)}", name={"en": "New"})
            added.append(str(made.pk))
        if not cursor:
            break
    assert read == [*before, *added]
    assert len(read) == len(set(read))
    assert read == [item["id"] for item in caller.everything("/units", limit=200)] == sorted(read)


def test_a_page_holds_between_one_and_two_hundred(calling: Callable[..., Caller]) -> None:
    caller = calling("olga")
    assert len(caller.get("/messages").json()["items"]) == 50
    assert len(caller.get("/messages", {"limit": 200}).json()["items"]) == 200
    for limit, code in (("0", "greater_than_equal"), ("201", "less_than_equal"), ("-1", "greater_than_equal"), ("many", "int_parsing"), ("1.5", "int_parsing")):
        assert is_problem(caller.get("/messages", {"limit": limit}), 422, code)


@pytest.mark.parametrize("cursor", ["nonsense", "01a2c0de", "' OR 1=1 --", "\x00", "{01a2c0de-0000-7000-8000-000000000001}"])
def test_a_cursor_that_is_not_ours_is_refused(calling: Callable[..., Caller], cursor: str) -> None:
    assert is_problem(calling("").get("/offerings", {"cursor": cursor}), 422, "string_pattern_mismatch")


def test_filters_narrow_as_in_the_lists_of_the_pages(world: World, calling: Callable[..., Caller], depth: Depth) -> None:
    caller, client = calling("bia"), Client()
    client.force_login(world.people["bia"], backend=BACKEND)
    tried = 0
    for entry in [*RESOURCES.values()][:: 1 if depth else 4]:
        for question in entry.filters:
            choices = [value for value, _label in question.choices(actor(world, "bia"))][:1] if question.choices else []
            for value in filter(None, [*choices, "no such value"]):
                listed = caller.everything(f"/{entry.plural}", **{question.name: str(value)})
                downloaded = client.get(f"/{entry.plural}.csv", {question.name: str(value)})
                rows = list(csv.reader(io.StringIO(b"".join(downloaded.streaming_content).decode("utf-8-sig"))))[1:]
                assert sorted(item["id"] for item in listed) == sorted(row[0] for row in rows), f"{entry.plural} {question.name}={value}"
                tried += len(listed)
    assert tried > (200 if depth else 20)


# What is told in whole sentences, or by a name that an institution has given, follows the caller's language. All else is data.
TOLD = {
    "agreement.promises", "agreement.signatures", "availability.hours", "course_plan.alternatives", "course_plan.best", "emergency.places", "exchange.waiting_for",
    "exchange_task.wall_due", "exchange_team.name", "intake.code", "learning_agreement.signatures", "mobility.courses", "offering.meetings", "opportunity.credits_told",
    "pairing.why", "participant.class", "partner_wish.windows", "placement_agreement.signatures", "placement_credit.citation", "policy.reserves", "programme.requirements",
    "roster_file.class", "session.host_time", "switch.credits", "switch_run.result", "team.told", "transcript.courses", "vacancy.remuneration",
}  # fmt: skip


@pytest.mark.parametrize("reader", ["olga", pytest.param("ana", marks=pytest.mark.wide)])
def test_a_program_gets_the_same_codes_in_every_language(world: World, calling: Callable[..., Caller], reader: str) -> None:
    """Only titles and sentences follow the language that it asks for."""
    english, spanish = (calling(reader, Accept_Language=language) for language in ("en", "es"))
    follow = set()
    for entry in RESOURCES.values():
        told, dicho = (caller.get(f"/{entry.plural}", {"limit": 4}).json()["items"] for caller in (english, spanish))
        titles = {"title", *(field.name for field in entry.fields if field.kind == "ref")}
        follow |= {f"{entry.noun}.{name}" for one, other in zip(told, dicho, strict=True) for name in one.keys() - titles if one[name] != other[name]}
    assert follow - TOLD == set()
    assert len(follow) > (15 if reader == "olga" else 5)


def test_a_program_reads_the_code_and_people_the_word(world: World, calling: Callable[..., Caller]) -> None:
    course = next(each for each in calling("olga", Accept_Language="es").everything("/opportunities") if each["level"] == "master" and each["language"] == "es")
    assert course["isced_f"][:2] in FIELD_LABELS
    page = Client(headers={"accept-language": "es"}).get(f"/opportunities/{course['id']}/").content.decode()
    assert "Maestría" in page
    for address, level, language in (("/opportunities.csv", "Maestría", "español"), ("/api/v1/opportunities.csv", "master", "es")):
        file = b"".join(Client(headers={"accept-language": "es"}).get(address).streaming_content).decode("utf-8-sig")
        row = next(row for row in csv.DictReader(io.StringIO(file)) if row["id"] == course["id"])
        assert (row["level"], row["language"]) == (level, language)
    with translation.override("en"):
        described = Resource.shape(RESOURCES["opportunity"]).model_json_schema()["properties"]["level"]["description"]
    assert described == "Level: short-cycle, bachelor, master, doctorate"


def test_words_are_looked_for_whatever_their_accents(world: World, calling: Callable[..., Caller]) -> None:
    caller = calling("olga")
    person = Person.objects.filter(name__icontains="á").first()
    assert person is not None
    plain = person.name.replace("á", "a")
    assert str(person.pk) in {item["id"] for item in caller.everything("/people", q=plain)}
    assert caller.everything("/people", q="zzz no such word") == []


def test_a_filter_that_does_not_exist_is_refused_and_the_others_are_named(calling: Callable[..., Caller]) -> None:
    """A misspelt filter that was passed over would give everything instead of little."""
    answer = calling("bia").get("/applications", {"stat": "draft", "colour": "blue"})
    assert is_problem(answer, 422, "no-such-filter", "no-such-filter")
    assert [reason["field"] for reason in answer.json()["reasons"]] == ["colour", "stat"]
    assert "state" in answer.json()["detail"]


def test_what_is_absent_and_what_is_foreign_answer_alike(world: World, calling: Callable[..., Caller]) -> None:
    foreign = RESOURCES["application"].visible_to(actor(world, "bia")).first()
    stranger = calling("dora")
    for tail in ("", "/history"):
        there, absent = stranger.get(f"/applications/{foreign.pk}{tail}"), stranger.get(f"/applications/{new_id()}{tail}")
        assert is_problem(there, 404, "not-found")
        assert there.content == absent.content


def test_an_institutions_page_names_what_a_program_gets_by_its_codes(world: World, calling: Callable[..., Caller]) -> None:
    andina = world.organisations["andina"]
    told = calling("bia").get(f"/organisations/{andina.pk}").json()
    assert (told["languages"], told["credit_system"], told["grade_scale"]) == (andina.languages, andina.credit_system, andina.grade_scale)
    page = Client(headers={"accept-language": "es"}).get(f"/organisations/{andina.pk}/").content.decode()
    facts = [page.partition(f"<dt>{label}</dt>")[2].partition("</dd>")[0] for label in ("Idiomas", "Sistema de créditos", "Escala de notas")]
    assert [word in fact for word, fact in zip(("<li>español</li>", "Crédito académico peruano", "Perú"), facts, strict=True)] == [True, True, True]
    assert f">{andina.credit_system}<" not in page


def test_a_read_is_tagged_and_an_unchanged_one_is_not_sent_again(world: World, calling: Callable[..., Caller]) -> None:
    caller = calling("bia")
    here = f"/organisations/{world.organisations['andina'].pk}"
    first = caller.get(here)
    tag = first.headers["ETag"]
    assert tag.startswith(f'"{first.json()["version"]}-')
    for held in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = caller.get(here, If_None_Match=held)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert caller.get(here, If_None_Match='"1-other"').status_code == 200
    listed = caller.get("/organisations")
    assert caller.get("/organisations", If_None_Match=listed.headers["ETag"]).status_code == 304


def test_the_tag_changes_with_the_record_with_the_reader_and_with_the_language(world: World, calling: Callable[..., Caller]) -> None:
    term = RESOURCES["term"].visible_to(actor(world, "olga")).first()
    here = f"/people/{world.people['bia'].pk}"
    bia, olga = calling("bia"), calling("olga")
    assert bia.get(here).headers["ETag"] != olga.get(here).headers["ETag"]  # they may do different things with it
    held = bia.get(here).headers["ETag"]
    done = bia.post(f"{here}/edit_profile", {"name": "Beatriz", "language": "pt-br", "zone": "America/Sao_Paulo"})
    assert done.status_code == 200
    changed = bia.get(here, If_None_Match=held)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != held
    assert {"Accept-Language", "Authorization"} <= {name.strip() for name in bia.get(f"/terms/{term.pk}").headers["Vary"].split(",")}


def test_head_answers_like_get_without_the_body(calling: Callable[..., Caller]) -> None:
    caller = calling("bia")
    got = caller.get("/calls")
    head = caller.client.head("/api/v1/calls", headers=caller.headers)
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", got.headers["ETag"])
    assert head.headers["Content-Length"] == str(len(got.content))
    assert caller.client.head("/api/v1/calls.csv", headers=caller.headers).status_code == 200


def test_a_list_comes_as_csv_with_every_row_and_no_formula(world: World, calling: Callable[..., Caller]) -> None:
    caller = calling("bia")
    Person.objects.filter(pk=world.people["bia"].pk).update(name="=HYPERLINK(0)")
    answer = caller.get("/people.csv", {"q": "bia"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "'=HYPERLINK(0)" in {row["name"] for row in rows}
    assert {row["id"] for row in rows} == {item["id"] for item in caller.everything("/people", q="bia")}
    assert is_problem(caller.get("/people.csv", {"limit": "3"}), 422, "no-such-filter")


def test_a_history_tells_who_did_what_when_and_why(world: World, calling: Callable[..., Caller]) -> None:
    caller = calling("bia")
    here = f"/people/{world.people['bia'].pk}"
    caller.post(f"{here}/edit_profile", {"name": "Beatriz", "language": "pt-br", "zone": "America/Sao_Paulo"})
    last = caller.get(f"{here}/history").json()[0]
    assert (last["verb"], last["changes"]["name"][1]) == ("edit_profile", "Beatriz")
    assert is_problem(calling("").get(f"{here}/history"), 401)
