"""Loaded before Django's settings are (`-p tests.environment`): the suite works in a throw-away folder, never in `var/`."""

import os
import tempfile

DATA = tempfile.mkdtemp(prefix="vsm-tests-")
# The workers of one run share a folder: its path stands in the environment that they inherit.
SHARED = os.environ.setdefault("VSM_TESTS_SHARED", tempfile.mkdtemp(prefix="vsm-tests-shared-"))
os.environ["VSM_DATA"] = DATA
os.environ["VSM_BASE_URL"] = "http://testserver"
