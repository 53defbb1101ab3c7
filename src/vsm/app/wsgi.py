"""The WSGI entry point that granian serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vsm.app.settings")  # noqa: TID251 -- Django's own bootstrap variable
gc.disable()  # what loading makes stays: to look through it for rubbish meanwhile takes an eighth of the time
application = get_wsgi_application()
gc.freeze()
gc.enable()
