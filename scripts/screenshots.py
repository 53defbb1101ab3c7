"""Take the handbook's pictures: starts the demo in a throw-away folder, signs in as its people, looks, stops.

    ./vsm screenshots [--out FOLDER]
"""

import argparse
import base64
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "open-vsm-demo-world"
PICTURES = (
    ("search", "", "/catalogue/?q=estadistica"),
    ("desk", "ana@andina.example", "/desk/"),
    ("pipeline", "carlos@mapocho.example", "/desk/"),
    ("run", "carlos@mapocho.example", "/runs/"),
)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "handbook" / "images")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, site(Path(folder)) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, email, path in PICTURES:
            picture(browser, base, email, path, args.out / f"{name}.png", width=1280, height=860)
        overview(browser, base, args.out)
        browser.close()
    return 0


def overview(browser: Browser, base: str, out: Path) -> None:
    """The README's picture: the catalogue on a desk with a phone beside it."""
    desk, phone = out / "overview-desk.png", out / "overview-phone.png"
    picture(browser, base, "", "/", desk, width=1180, height=800)
    picture(browser, base, "", "/catalogue/?q=clima", phone, width=360, height=740)
    page = browser.new_page(viewport={"width": 1600, "height": 860})
    page.set_content(
        f"<style>body{{margin:0;background:#e9e6de;display:flex;gap:40px;align-items:center;justify-content:center;height:860px}}"
        f"img{{border-radius:14px;box-shadow:0 12px 40px #0003}}</style>"
        f'<img src="data:image/png;base64,{encoded(desk)}" width="1100"><img src="data:image/png;base64,{encoded(phone)}" width="360">'
    )
    page.screenshot(path=str(out / "overview.png"))
    page.close()
    desk.unlink()
    phone.unlink()


def picture(browser: Browser, base: str, email: str, path: str, file: Path, *, width: int, height: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", timezone_id="America/Lima")
    page = context.new_page()
    if email:
        sign_in(page, base, email)
    page.goto(base + path)
    if path == "/runs/":
        page.locator("tbody a").first.click()
    page.screenshot(path=str(file))
    context.close()


def sign_in(page: Page, base: str, email: str) -> None:
    page.goto(f"{base}/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]:not([form])")
    page.wait_for_url("**/desk/")
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": base}])


def encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


@contextmanager
def site(data: Path) -> Iterator[str]:
    """The whole program with the demo world on a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "vsm", "up", "--data", str(data), "--port", str(port)], cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        for _attempt in range(600):
            if process.poll() is not None:
                raise SystemExit("The site did not start; run ./vsm up to see why.")
            try:
                urllib.request.urlopen(base, timeout=1)
                break
            except OSError:
                time.sleep(0.2)
        yield base
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


if __name__ == "__main__":
    sys.exit(main())
