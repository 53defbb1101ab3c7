"""The REST API, made from the tables of resources and actions: whatever a page can do, a program can do.

Reads are `GET /api/v1/<nouns>` (cursor paging, the list's own filters) and `GET /api/v1/<nouns>/{id}`; acts are
`POST /api/v1/<nouns>/{id}/<verb>` with the act's inputs as JSON. Errors are problem+json (RFC 9457) everywhere.
"""

from vsm.api.rest.app import api

__all__ = ["api"]
