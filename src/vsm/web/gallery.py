"""Sample data for /design/: every component in every state, without a database. In English: a page for makers."""

from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.utils.safestring import SafeString

OPENS = datetime(2027, 3, 3, 19, 0, tzinfo=UTC)
CLOSES = datetime(2027, 3, 31, 4, 59, tzinfo=UTC)
DIGEST = "3f9a2c71d04be8a6551c0e9f7d2b84a1906ce3f5b7d81a24c6e0f39b58d7421c"

STATES = [
    {"label": "Draft", "tone": "neutral"},
    {"label": "Waiting for the host", "tone": "info"},
    {"label": "Accepted", "tone": "good"},
    {"label": "Ends in 2 days", "tone": "warn"},
    {"label": "Refused", "tone": "bad"},
]


class SampleForm(forms.Form):
    """Each kind of field once."""

    required_css_class = "required"
    is_specimen = True  # looked at, not filled in: its mistakes do not take the focus

    name = forms.CharField(
        label="Full name", help_text="As in your passport.", widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    born = forms.DateField(label="Date of birth", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    country = forms.ChoiceField(label="Country", choices=[("pe", "Peru"), ("br", "Brazil"), ("fr", "France")])
    level = forms.ChoiceField(
        label="Your level of English",
        choices=[("B1", "B1"), ("B2", "B2"), ("C1", "C1")],
        widget=forms.RadioSelect,
        help_text="By the Common European Framework.",
    )
    needs = forms.MultipleChoiceField(
        label="What do you need?",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[
            ("captions", "Captions"),
            ("reader", "Material that a screen reader can read"),
            ("low", "Sessions that work below 512 kbit/s"),
        ],
    )
    why = forms.CharField(
        label="Why this course?", widget=forms.Textarea(attrs={"rows": 4}), help_text="Two or three sentences."
    )
    transcript = forms.FileField(label="Transcript of records", required=False, help_text="PDF, at most 5 MB.")
    agree = forms.BooleanField(label="My home university may send this to the host")


def samples() -> dict[str, Any]:
    """The context of components/gallery.html."""
    return {
        "title": "Design",
        "crumbs": [{"url": "/handbook/", "label": "Handbook"}, {"url": "", "label": "Design"}],
        "hero": _hero(),
        "states": STATES,
        "notices": _notices(),
        "listing": _listing(),
        "nothing": {
            "caption": "Applications",
            "rows": [],
            "empty": {"text": "You have not applied anywhere yet.", "url": "#listing", "label": "Find a course"},
        },
        "facts": _facts(),
        "verbs": _verbs(),
        "entries": _entries(),
        "tabs": [
            {"url": "#tabs", "label": "Facts", "current": True},
            {"url": "#tabs", "label": "Documents", "current": False},
            {"url": "#tabs", "label": "History", "current": False},
        ],
        "stages": _stages(),
        "groups": _groups(),
        "cards": _cards(),
        "facets": _facets(),
        "pills": [
            {"label": "Language: Spanish", "remove_url": "#facets"},
            {"label": "Open now", "remove_url": "#facets"},
        ],
        "series": {
            "title": "Students with a seat, by group",
            "series": [{"key": "A", "label": "Priorities, then lottery"}, {"key": "B", "label": "Lottery alone"}, {"key": "C", "label": "Best sum of ranks"}],
            "rows": [
                {"label": "First generation", "bars": [{"key": "A", "value": 24, "share": "80"}, {"key": "B", "value": 19, "share": "63"}, {"key": "C", "value": 30, "share": "100"}]},
                {"label": "Rural", "bars": [{"key": "A", "value": None, "share": "0"}, {"key": "B", "value": 8, "share": "27"}, {"key": "C", "value": 9, "share": "30"}]},
            ],
        },
        "standing": {
            "is_in": False, "seats_share": "62", "mark": "81", "seats_text": "20 seats", "waiting_text": "Waiting list", "you_text": "You: number 5 of the waiting list on that day",
            "facts": [{"label": "Seats", "value": 20}, {"label": "Your priority band", "value": 4}],
        },
        "chart": {
            "title": "Applications by home country",
            "rows": [
                {"label": "Peru", "value": 1240},
                {"label": "Brazil", "value": 860},
                {"label": "Mexico", "value": 312},
                {"label": "France", "value": 45},
            ],
        },
        "obstacles": _obstacles(),
        "buckets": _buckets(),
        "form": SampleForm(),
        "wrong_form": SampleForm(
            {"name": "Ana Quispe", "email": "ana@", "country": "pe", "needs": ["captions"]}, auto_id="wrong_%s"
        ),
    }


def _hero() -> dict[str, Any]:
    return {
        "title": "Study abroad, from home.",
        "lead": "Take a course at a university in another country, online, and have the credit recognised at your own.",
        "search_url": "/search/",
        "search_label": "Search courses",
        "search_hint": "statistics, climate, Portuguese…",
        "figures": [
            {"label": "courses open now", "value": 64},
            {"label": "universities", "value": 8},
            {"label": "time zones", "value": 6},
        ],
    }


def _notices() -> list[dict[str, Any]]:
    return [
        {"kind": "info", "title": "The call opens on 3 March", "text": "You can already choose courses and save them."},
        {
            "kind": "good",
            "title": "Your application is in",
            "text": "Your home university nominates by 31 March. You need do nothing now.",
        },
        {
            "kind": "warn",
            "title": "Two days left to accept",
            "text": "After 5 April the seat goes to the next on the waiting list.",
        },
        {
            "kind": "bad",
            "title": "The learning agreement is not complete",
            "text": "It cannot be signed until:",
            "reasons": ["each host course says what home will recognise;", "the credits add up to at least 6 ECTS."],
        },
    ]


def _listing() -> dict[str, Any]:
    columns = [
        {"key": "student", "label": "Student", "sort_url": "?sort=-student", "sorted": "ascending"},
        {"key": "course", "label": "First choice", "sort_url": "?sort=course", "sorted": ""},
        {"key": "home", "label": "Home", "sort_url": "", "sorted": ""},
        {"key": "credits", "label": "Credits", "sort_url": "?sort=credits", "sorted": ""},
        {"key": "at", "label": "Submitted", "sort_url": "?sort=at", "sorted": ""},
        {"key": "state", "label": "State", "sort_url": "", "sorted": ""},
    ]
    people = [
        ("Ana Quispe", "Applied Statistics", "Lima", "4.5", STATES[1]),
        ("João Pereira", "Climate and Society", "São Paulo", "6", STATES[2]),
        ("Inès Laurent", "Introduction to Andean Archaeology", "Lyon", "3", STATES[3]),
        ("Diego Fuentes", "Algorithms", "Santiago", "5", STATES[4]),
    ]
    return {
        "caption": "Applications",
        "columns": columns,
        "rows": [{"url": "#listing", "cells": _cells(*person)} for person in people],
        "filters": [
            {"name": "q", "label": "Search words", "kind": "text", "value": "", "choices": []},
            {
                "name": "state",
                "label": "State",
                "kind": "choice",
                "value": "sent",
                "choices": [("", "All"), ("sent", "Waiting for the host"), ("in", "Accepted")],
            },
            {"name": "since", "label": "Submitted since", "kind": "date", "value": "2027-03-01", "choices": []},
        ],
        "pills": [{"label": "State: Waiting for the host", "remove_url": "#listing"}],
        "total": 1284,
        "first": 26,
        "last": 50,
        "pages": [
            {"number": 1, "url": "?page=1", "current": False},
            {"number": 2, "url": "?page=2", "current": True},
            {"number": 3, "url": "?page=3", "current": False},
            {"number": "…", "url": "", "current": False},
            {"number": 52, "url": "?page=52", "current": False},
        ],
        "previous_url": "?page=1",
        "next_url": "?page=3",
        "csv_url": "#listing",
        "empty": {"text": "", "url": "", "label": ""},
        "sort": "student",
    }


def _cells(student: str, course: str, home: str, credit: str, state: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"label": "Student", "kind": "text", "value": student},
        {"label": "First choice", "kind": "text", "value": course},
        {"label": "Home", "kind": "text", "value": home},
        {"label": "Credits", "kind": "number", "value": credit},
        {"label": "Submitted", "kind": "moment", "value": OPENS},
        {"label": "State", "kind": "state", "value": state},
    ]


def _facts() -> list[dict[str, Any]]:
    return [
        {"label": "text", "kind": "text", "value": "Applied Statistics"},
        {
            "label": "long_text",
            "kind": "long_text",
            "value": "Week 1: data and doubt.\n\nWeek 2: estimates and their error.",
        },
        {"label": "html", "kind": "html", "value": SafeString("<p>Sanitised <strong>markup</strong>.</p>")},
        {"label": "number", "kind": "number", "value": 1724},
        {"label": "date", "kind": "date", "value": date(2027, 3, 3)},
        {"label": "moment", "kind": "moment", "value": OPENS},
        {"label": "state", "kind": "state", "value": STATES[2]},
        {"label": "bool, yes", "kind": "bool", "value": True},
        {"label": "bool, no", "kind": "bool", "value": False},
        {"label": "link", "kind": "link", "value": {"url": "#facts", "label": "Universidad Andina de Lima"}},
        {
            "label": "people",
            "kind": "people",
            "value": [
                {"name": "Bia Santos", "role": "home coordinator"},
                {"name": "Carlos Vega", "role": "host coordinator"},
            ],
        },
        {"label": "localized, elsewhere", "kind": "localized", "value": {"es": "Estadística aplicada"}},
        {"label": "country", "kind": "country", "value": {"code": "PE", "name": "Peru"}},
        {"label": "language", "kind": "language", "value": "pt-br"},
        {"label": "languages", "kind": "languages", "value": ["es", "pt-br"]},
        {"label": "countries", "kind": "countries", "value": ["PE", "PT"]},
        {"label": "money", "kind": "money", "value": {"amount": 125000, "currency": "EUR"}},
        {"label": "list", "kind": "list", "value": ["Captions", "Recorded sessions"]},
        {"label": "digest", "kind": "digest", "value": DIGEST},
        {
            "label": "file",
            "kind": "file",
            "value": {"url": "#facts", "name": "transcript.pdf", "size": 48_213, "type": "pdf"},
        },
        {"label": "nothing", "kind": "text", "value": None},
    ]


def _verbs() -> list[dict[str, str]]:
    return [
        {"url": "#verbs", "label": "Accept the seat", "tone": "primary", "note": "Until Wed 31 Mar 2027"},
        {"url": "#verbs", "label": "Ask a question", "tone": "secondary", "note": ""},
        {"url": "#verbs", "label": "Decline", "tone": "warning", "note": "Frees the seat for the next student"},
    ]


def _entries() -> list[dict[str, Any]]:
    return [
        {
            "at": CLOSES,
            "who": "Carlos Vega",
            "what": "Accepted the nomination",
            "why": "Meets every requirement; B2 certificate seen.",
            "changes": [
                {"label": "State", "before": "nominated", "after": "accepted"},
                {"label": "Seat", "before": None, "after": "12"},
            ],
        },
        {"at": OPENS, "who": "Ana Quispe", "what": "Submitted the application", "why": "", "changes": []},
    ]


def _stages() -> list[dict[str, Any]]:
    return [
        {"label": "Draft", "state": "done", "at": date(2027, 1, 12)},
        {"label": "Open", "state": "done", "at": date(2027, 3, 3)},
        {"label": "Nomination", "state": "now", "at": date(2027, 3, 31)},
        {"label": "Allocation", "state": "next", "at": date(2027, 4, 7)},
        {"label": "Confirmed", "state": "next", "at": None},
    ]


def _groups() -> list[dict[str, Any]]:
    return [
        {
            "title": "Before",
            "items": [
                {
                    "title": "Complete your profile",
                    "owner": "You",
                    "deadline": date(2027, 2, 20),
                    "state": {"label": "Done", "tone": "good"},
                    "url": "",
                    "action_label": "",
                    "late": False,
                },
                {
                    "title": "Accept the seat",
                    "owner": "You",
                    "deadline": CLOSES,
                    "state": {"label": "Your turn", "tone": "warn"},
                    "url": "#todo",
                    "action_label": "Accept or decline",
                    "late": False,
                },
                {
                    "title": "Upload your transcript",
                    "owner": "You",
                    "deadline": date(2027, 2, 25),
                    "state": {"label": "Missing", "tone": "bad"},
                    "url": "#todo",
                    "action_label": "Upload",
                    "late": True,
                },
            ],
        },
        {
            "title": "During",
            "items": [
                {
                    "title": "First live meeting",
                    "owner": "Host university",
                    "deadline": OPENS,
                    "state": {"label": "Planned", "tone": "neutral"},
                    "url": "",
                    "action_label": "",
                    "late": False,
                },
            ],
        },
    ]


def _cards() -> list[dict[str, Any]]:
    shared = {"url": "#cards", "level": "Bachelor", "mode": "Live and recorded"}
    return [
        {
            **shared,
            "title": "Applied Statistics for the Social Sciences",
            "institution": "Universidade do Atlântico",
            "country": {"code": "BR", "name": "Brazil"},
            "language": "Portuguese",
            "cefr": "B1",
            "credits": "4 SCT · 6 ECTS",
            "dates": "3 Aug – 12 Dec 2027",
            "seats": "12 of 20 left",
            "times_note": "Tue 14:00–15:30 (America/Lima)",
            "bandwidth": "works from 512 kbit/s",
            "open": True,
        },
        {
            **shared,
            "title": "Climate and Society",
            "institution": "Université des Deux Rives",
            "country": {"code": "FR", "name": "France"},
            "language": "French",
            "cefr": "B2",
            "credits": "3 ECTS",
            "dates": "6 Sep – 17 Dec 2027",
            "seats": "8",
            "times_note": "No live meetings",
            "bandwidth": "works from 128 kbit/s",
            "open": {"label": "Opens 3 March", "tone": "info"},
        },
        {
            **shared,
            "title": "Introduction to Andean Archaeology",
            "institution": "Universidad Andina de Lima",
            "country": {"code": "PE", "name": "Peru"},
            "language": "Spanish",
            "cefr": "B1",
            "credits": "3 credits · 4.5 ECTS",
            "dates": "15 Mar – 9 Jul 2027",
            "seats": "0",
            "times_note": "",
            "bandwidth": "",
            "open": False,
        },
    ]


def _facets() -> list[dict[str, Any]]:
    return [
        {
            "name": "language",
            "label": "Language of instruction",
            "options": [
                {"value": "es", "label": "Spanish", "count": 31, "checked": True},
                {"value": "en", "label": "English", "count": 1204, "checked": False},
                {"value": "pt", "label": "Portuguese", "count": 12, "checked": False},
            ],
        },
        {
            "name": "mode",
            "label": "How it meets",
            "options": [
                {"value": "async", "label": "In your own time", "count": 18, "checked": False},
                {"value": "live", "label": "Live", "count": 44, "checked": False},
            ],
        },
    ]


def _obstacles() -> list[dict[str, str]]:
    return [
        {
            "what": "Your Portuguese is A2; this course asks for B1.",
            "why": "Sessions and exam are in Portuguese.",
            "next": "See courses that ask for A2 or less",
            "url": "#cards",
        },
        {
            "what": "Your home university has no places left in this agreement.",
            "why": "6 of 6 are taken this term.",
            "next": "Ask your coordinator about next term.",
            "url": "",
        },
    ]


def _buckets() -> list[dict[str, Any]]:
    return [
        {"label": "To nominate", "count": 12, "url": "#pipeline", "tone": "warn"},
        {"label": "With the host", "count": 38, "url": "#pipeline", "tone": "info"},
        {"label": "Accepted", "count": 1024, "url": "#pipeline", "tone": "good"},
        {"label": "Refused", "count": 3, "url": "#pipeline", "tone": "bad"},
        {"label": "Withdrawn", "count": 0, "url": "", "tone": "neutral"},
    ]
