"""`vsm teams form` and `vsm slots find`: what the handbook shows, faults by file and line, nothing written when there is one."""

import json
import re
from pathlib import Path

import pytest

from vsm.cli.commands import main
from vsm.config import ROOT

PAGE = (ROOT / "docs" / "handbook" / "instructor.md").read_text("utf-8")
FILES = dict(re.findall(r"```csv (\S+)\n(.*?)```", PAGE, re.DOTALL))
SHOWN = re.findall(r"```console\n\$ \./vsm (.*?)\n(.*?)```", PAGE, re.DOTALL)
CLASS = "id,country,languages,zone\nana,PE,es,America/Lima\nbia,BR,pt es,America/Sao_Paulo\ncarla,FR,fr es,Europe/Paris\ndora,CO,es,America/Bogota\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(words: str, **files: str) -> int:
    for name, content in files.items():
        Path(name.replace("_", ".")).write_text(content, "utf-8")
    return main(words.split())


@pytest.mark.parametrize(("words", "answer"), SHOWN, ids=lambda part: part.split()[0])
def test_what_the_handbook_shows_is_what_is_printed(words: str, answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words, **{name.replace(".", "_"): content for name, content in FILES.items()}) == 0
    assert capsys.readouterr().out == answer


def test_teams_reasons_and_a_summary_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("teams form class.csv --size 2 --must language --on 2027-02-01 --out out --language es --json", class_csv=CLASS) == 0
    summary = json.loads(capsys.readouterr().out)

    assert sorted(path.name for path in Path("out").iterdir()) == ["formation.json", "reasons.csv", "teams.csv"]
    assert summary == json.loads(Path("out/formation.json").read_text("utf-8"))
    assert (summary["rules_kept"], summary["proved_best"]) == (True, True)
    members = [f"{team['team']},{name}" for team in summary["teams"] for name in team["members"]]
    assert Path("out/teams.csv").read_text("utf-8").splitlines() == ["team,id", *members]
    assert "1,Todas las personas hablan: es." in Path("out/reasons.csv").read_text("utf-8").splitlines()


def test_csv_with_options_and_json_are_the_same_problem(capsys: pytest.CaptureFixture[str]) -> None:
    students = [dict(zip(("id", "country", "languages", "zone"), line.split(","), strict=True)) for line in CLASS.splitlines()[1:]]
    told = {"size": 2, "on": "2027-02-01", "rules": ["language", {"kind": "zones", "amount": 3, "weight": 10}], "students": students}
    found = []
    for words in ("class.csv --size 2 --on 2027-02-01 --must language --wish zones=3:10", "class.json"):
        assert run(f"teams form {words} --out out --json", class_csv=CLASS, class_json=json.dumps(told)) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[0] == found[1]


def test_who_stays_keeps_the_team_when_somebody_joins(capsys: pytest.CaptureFixture[str]) -> None:
    teams = "team,id\n1,ana\n1,bia\n2,carla\n2,dora\n2,eva\n"
    words = "teams form class.csv --size 2 --must language --on 2027-02-01 --keep teams.csv --out out --json"
    assert run(words, class_csv=CLASS + "fina,CL,es,America/Santiago\n", teams_csv=teams) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["moved"], len(summary["teams"])) == ([], 2)


def test_a_rule_that_cannot_be_kept_is_told_with_what_to_loosen(capsys: pytest.CaptureFixture[str]) -> None:
    alike = "id,country\nana,PE\nbia,PE\ncarla,PE\ndora,BR\n"
    assert run("teams form class.csv --size 2 --must countries=2 --out out --language fr", class_csv=alike) == 2
    assert "moins de pays" in capsys.readouterr().err
    assert not Path("out").exists()


def test_teams_that_are_kept_miss_a_rule_rather_than_being_refused(capsys: pytest.CaptureFixture[str]) -> None:
    alike = "id,country\nana,PE\nbia,PE\ncarla,PE\ndora,BR\n"
    words = "teams form class.csv --size 2 --must countries=2 --keep teams.csv --out out"
    assert run(words, class_csv=alike, teams_csv="team,id\n1,ana\n1,bia\n2,carla\n2,dora\n") == 1
    assert "fewer countries" in capsys.readouterr().out
    assert Path("out/teams.csv").exists()


BAD_CLASSES = {
    "an unknown zone": ("id,zone\nana,America/Lima\nbia,America/Lime\n", "class.csv, line 3: “America/Lime” is no time zone of the IANA database, or no longer one. Perhaps: America/Lima"),
    "a misspelt column": ("id,langauges\nana,es\nbia,es\n", "class.csv, line 2: “langauges” is not known here. Known are: id, country,"),
    "the same id twice": ("id\nana\nbia\nana\n", "class.csv, line 4: ana stands on line 2 already."),
    "no hours": ("id,hours\nana,mornings\nbia,\n", "class.csv, line 2: “mornings” tells no hours of a week."),
    "a cell too many": ("id,country\nana,PE\nbia,BR,x\n", "class.csv, line 3: Cells in the line: 3, in the header: 2."),
    "a skill in words": ("id,skill:python\nana,good\nbia,1\n", "class.csv, line 2: python must be a whole number, not “good”."),
    "an unknown partner": ("id,apart\nana,zoe\nbia,\n", "class.csv, line 2: ana cannot be paired with “zoe”"),
    "broken JSON": ('{"size": 2,\n "students": [}', "class.csv, line 2: This is no JSON"),
    "a student who is no object": ('{"size": 2,\n "students": [\n {"id": "ana"},\n 7]}', "class.csv, line 4: students cannot be “7”."),
    "an unknown rule": ('{"size": 2,\n "students": [{"id": "ana"}, {"id": "bia"}],\n "rules": [\n "colours=2"]}', "class.csv, line 4: “colours=2” is no rule."),
    "nobody": ("id\n", "class.csv, line 1: There are no students in it."),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_CLASSES)
def test_a_fault_of_a_class_names_file_and_line_and_nothing_is_written(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    content, said = BAD_CLASSES[case]
    assert run("teams form class.csv --size 2 --out out", class_csv=content) == 2
    assert capsys.readouterr().err.startswith(said)
    assert not Path("out").exists()


def test_a_column_that_nobody_reads_is_told_once_and_a_wrong_day_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("teams form class.csv --size 2 --out out", class_csv="id,langauges,zone\nana,es,Moon/Base\nbia,es,\ncora,es,\n") == 2
    assert [line[:33] for line in capsys.readouterr().err.splitlines()] == ["class.csv, line 2: “langauges” is", "class.csv, line 2: “Moon/Base” is"]
    with pytest.raises(SystemExit):
        run("teams form class.csv --size 2 --out out --on 2027-13-01", class_csv=CLASS)
    assert "“2027-13-01” is no day of the calendar; write it as 2027-03-01" in capsys.readouterr().err


def test_all_faults_are_told_at_once_in_the_reader_s_language(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("teams form class.csv --size 2 --out out --language es", class_csv="id,zone\nana,Moon/Base\nana,America/Lima\n") == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("class.csv, línea 2: “Moon/Base” no es")
    assert second.startswith("class.csv, línea 3: ana ya está en la línea 2")


def test_a_missing_file_and_a_rule_that_is_none_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("teams form nowhere.csv --size 2 --out out") == 2
    assert capsys.readouterr().err == "nowhere.csv: No such file or directory\n"
    assert run("teams form class.csv --size 2 --must colours=2 --out out", class_csv=CLASS) == 2
    assert capsys.readouterr().err.startswith("“colours=2” is no rule. Rules are: language, window,")


def test_hours_turns_and_burdens_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    told = {
        "starts_on": "2027-03-01", "ends_on": "2027-03-28", "zone": "Europe/Madrid", "minutes": 90, "without": ["2027-03-15"],
        "people": [{"id": "luz", "zone": "Europe/Madrid"}, {"id": "kai", "zone": "Pacific/Auckland", "busy": [["2027-03-02T08:00Z", "2027-03-02T09:00Z"]]}],
    }  # fmt: skip
    assert run("slots find people.json --out out --json", people_json=json.dumps(told)) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["people"], summary["weeks"], summary["hours"][0]["zone"]) == (2, 4, "Europe/Madrid")
    assert sorted(path.name for path in Path("out").iterdir()) == ["burdens.csv", "hours.csv", "turns.csv"]
    assert [line.split(",")[0] for line in Path("out/burdens.csv").read_text("utf-8").splitlines()] == ["id", "luz", "kai"]


def test_no_common_hour_is_told_with_the_pairs_of_places(capsys: pytest.CaptureFixture[str]) -> None:
    people = "id,zone\nana,America/Lima\nkim,Asia/Seoul\nluz,Europe/Madrid\nkai,Pacific/Auckland\n"
    assert run("slots find people.csv --from 2027-03-01 --to 2027-04-30 --minutes 480 --language pt-br", people_csv=people) == 1
    assert "Lima – Seoul, Madrid – Auckland. Forme dois grupos ou encurte a sessão." in capsys.readouterr().out


BAD_PEOPLE = {
    "an unknown zone": ("id,zone\nana,Lima\n", "", "people.csv, line 2: “Lima” is no time zone of the IANA database"),
    "a busy time without its zone": ("id,zone,busy\nana,America/Lima,2027-03-01T10:00/2027-03-01T12:00\n", "", "people.csv, line 2: “2027-03-01T10:00/2027-03-01T12:00” is no time"),
    "the last day first": ("id,zone\nana,America/Lima\n", "--to 2027-01-01", "people.csv, The last day is before the first."),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_PEOPLE)
def test_a_fault_of_the_people_names_file_and_line(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    content, more, said = BAD_PEOPLE[case]
    assert run(f"slots find people.csv --from 2027-03-01 --to 2027-05-01 --out out {more}", people_csv=content) == 2
    assert capsys.readouterr().err.startswith(said)
    assert not Path("out").exists()
