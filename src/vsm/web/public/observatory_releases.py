"""What was checked of a release, and what was understood of a table before it becomes one."""

from typing import Any

from django.urls import URLPattern

from vsm.kit.actors import Actor
from vsm.kit.saying import say, say_reason
from vsm.kit.verdict import Reason
from vsm.observatory.sources.models import OwnTable, Release
from vsm.observatory.sources.queries import CHECKS
from vsm.web import objects


def release_part(release: Release, _actor: Actor) -> dict[str, Any]:
    return {"checked": _checked(release.checks), "failures": []}


def table_part(table: OwnTable, _actor: Actor) -> dict[str, Any]:
    return {"table": table, "checked": _checked(table.checks), "failures": [say_reason(Reason(**each)) for each in table.problems]}


def _checked(checks: list[Any]) -> list[dict[str, Any]]:
    return [{"label": say(CHECKS.get(code, code)), "passed": passed} for code, passed, _facts in checks]


objects.EXTRAS["release"] = objects.Extra("public/observatory/checked.html", release_part)
objects.EXTRAS["own_table"] = objects.Extra("public/observatory/checked.html", table_part)

urlpatterns: list[URLPattern] = []
