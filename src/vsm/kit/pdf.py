"""Accessible PDF (tagged, PDF/UA-1) from typst templates. Data goes in as JSON, never pasted into markup."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import typst


def render(package: str, template: str, data: Mapping[str, Any]) -> bytes:
    """Typeset `template` (a .typ file inside `package`) with `data`; the template reads `json(bytes(sys.inputs.data))`.

    Raises typst.TypstError when the template is wrong; data cannot break it, since it is never parsed as markup.
    """
    source = files(package).joinpath(template).read_bytes()
    return bytes(typst.compile(source, sys_inputs={"data": json.dumps(data, ensure_ascii=False, default=str)}, pdf_standards=["ua-1"]))
