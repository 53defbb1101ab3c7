"""The WSGI entry point that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

from vsm.kit.loading import for_good

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vsm.app.settings")  # noqa: TID251 -- Django's own bootstrap variable
with for_good():
    application = get_wsgi_application()
