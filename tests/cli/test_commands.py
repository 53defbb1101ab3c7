"""The command line as a newcomer meets it."""

import inspect
from importlib import import_module

import pytest

from vsm.cli.commands import COMMANDS, main, page, unknown


def test_the_help_is_one_page_that_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {command.name} " in shown for command in COMMANDS)
    assert len(shown.splitlines()) <= 40
    assert max(map(len, page().splitlines())) <= 120


def test_an_unknown_command_suggests_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restor"]) == 2
    assert capsys.readouterr().err == "There is no command `restor`. Did you mean `restore`? `./vsm --help` lists them all.\n"
    assert "Did you mean" not in unknown("xyzzy")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_its_function_with_a_sentence(command: object) -> None:
    module = import_module(command.module)  # type: ignore[attr-defined] -- a Command
    assert inspect.getdoc(getattr(module, command.entry))  # type: ignore[attr-defined] -- a Command
    assert command.raw or callable(getattr(module, f"{command.entry}_arguments"))  # type: ignore[attr-defined] -- a Command


@pytest.mark.parametrize("command", [command for command in COMMANDS if not command.raw], ids=lambda command: command.name)
def test_every_command_explains_itself(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command.name, "--help"])  # type: ignore[attr-defined] -- a Command
    assert stopped.value.code == 0
    assert command.summary in " ".join(capsys.readouterr().out.split())  # type: ignore[attr-defined] -- a Command


def test_wrong_arguments_are_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["list"])
    assert stopped.value.code == 2
    assert "noun" in capsys.readouterr().err
