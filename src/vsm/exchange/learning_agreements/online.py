"""How an agreed course goes on online, and back in person, with the credit that was agreed. Pure.

Credit stays the same by construction: a `Form` has no credits at all, and the only two ways from one text to the next
take every promised amount over from the text before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vsm.exchange.learning_agreements.rules import Component, Content


@dataclass(frozen=True, kw_only=True)
class Form:
    """Where and how a course is taken: what may change when it moves. Days are ISO 8601.

    `offering` is the online offering's id in the catalogue; empty when the host goes on with the same course online
    without a run of its own there. `taught_by` is the institution's localized name when that is not the host.
    """

    offering: str = ""
    code: str
    title: Mapping[str, str]
    language: str
    starts_on: str
    ends_on: str
    taught_by: Mapping[str, str] = field(default_factory=dict)


Promise = tuple[str, str, str, bool, str, str]
"""What was agreed for one course: its origin, credits and their system at the host, recognised or not, code and credits at home."""


def promises(content: Content) -> tuple[Promise, ...]:
    """Every promise of a text, in the order of its courses."""
    return tuple((c.origin, c.credits, c.credit_system, c.recognised, c.home_code, c.home_credits) for c in content.components)


def gone_online(component: Component, form: Form) -> Component:
    """The same line with the course taken in another form."""
    return replace(
        component, offering=form.offering or component.origin, replaces=component.origin, code=form.code, title=form.title,
        language=form.language, starts_on=form.starts_on, ends_on=form.ends_on, taught_by=form.taught_by, is_virtual=True,
    )  # fmt: skip


def back_in_person(component: Component, course: Component) -> Component:
    """The same line with the course taken in person again; of `course` only where and how count, never its credits."""
    return replace(
        component, offering=component.origin, replaces="", code=course.code, title=course.title, language=course.language,
        starts_on=course.starts_on, ends_on=course.ends_on, taught_by={}, is_virtual=False,
    )  # fmt: skip


def switched(content: Content, forms: Mapping[str, Form], *, number: int, follows: str) -> Content:
    """The next text, in which the courses named in `forms` (by their origin) go on online."""
    lines = (gone_online(line, forms[line.origin]) if line.origin in forms else line for line in content.components)
    return replace(content, number=number, follows=follows, components=tuple(lines))


def returned(content: Content, courses: Mapping[str, Component], *, number: int, follows: str) -> Content:
    """The next text, in which the courses named in `courses` (by their origin) are in person again."""
    lines = (back_in_person(line, courses[line.origin]) if line.origin in courses else line for line in content.components)
    return replace(content, number=number, follows=follows, components=tuple(lines))
