"""Real data that lies beside a checkout, in ../shared/data: their licences keep the files out of the repository.

A test that reads one `needs` it, and is skipped by the file's name where it is not.
"""

from pathlib import Path

import pytest

from vsm.config import ROOT

DATA = ROOT.parent / "shared" / "data"
UIS = DATA / "uis" / "uis_26637_MENF5T8_country_region_2000_2024.csv"
SECTIONS = DATA / "catalogue" / "uiuc_2026_summer_sections.csv"


def needs(*files: Path) -> pytest.MarkDecorator:
    missing = [str(file.relative_to(ROOT.parent)) for file in files if not file.exists()]
    return pytest.mark.skipif(bool(missing), reason=f"not beside this checkout: {', '.join(missing)}")
