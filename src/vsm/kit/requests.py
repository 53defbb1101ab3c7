"""The request as our doors see it: Django's, with the actor who reads."""

from django.http import HttpRequest

from vsm.kit.actors import Actor


class Request(HttpRequest):
    """`actor` is set by the reader's middleware (pages) or by the token (REST) before any view runs."""

    actor: Actor
