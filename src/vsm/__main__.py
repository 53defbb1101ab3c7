"""`python -m vsm COMMAND`: the command line's way in. `./vsm` calls it inside .venv."""

import os
import sys

from vsm.cli.commands import main

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vsm.app.settings")  # noqa: TID251 -- Django's own bootstrap variable
    sys.exit(main(sys.argv[1:]))
