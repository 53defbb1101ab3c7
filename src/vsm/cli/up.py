"""`vsm up`: prepare what is not ready, then web and worker under a supervisor. It never loads the records itself."""

import argparse
import errno
import http.client
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

from vsm.cli.readiness import demo_accounts, folder_problem, is_ready
from vsm.cli.serve import web_command
from vsm.cli.supervisor import Child, Supervisor
from vsm.config import ROOT, Settings, settings

PATIENCE = 60.0  # seconds until the first answer


def up_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8000, help="default 8000")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer only)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the data lies (default: var/ beside the program)")
    parser.add_argument("--empty", action="store_true", help="without the demo world")


def up(args: argparse.Namespace) -> int:
    """Start everything and stay until Ctrl-C."""
    _environment(args)
    # Before the settings are read: they keep a secret in the folder.
    problem = port_problem(args.host, args.port) or folder_problem(Path(os.environ.get("VSM_DATA") or ROOT / "var"))  # noqa: TID251 -- as for the options
    if problem:
        print(problem, file=sys.stderr)
        return 1
    own = settings()
    passphrase = _passphrase(own)
    if not is_ready(own):
        print("Preparing:", flush=True)
        prepare = [sys.executable, "-m", "vsm", "migrate", *([] if args.empty else ["--demo"])]
        if subprocess.run(prepare, check=False).returncode:
            print("Not started: the step above failed.", file=sys.stderr)
            return 1
        # Preparing takes minutes. The server shares a port that another one holds, and each would answer some of the requests.
        if problem := port_problem(args.host, args.port):
            print(problem, file=sys.stderr)
            return 1
    accounts = demo_accounts(own)
    shared = {**os.environ, "VSM_DEMO": "1" if accounts else "0", "VSM_KEY_PASSPHRASE": ""}  # noqa: TID251 -- handed on to the children
    web = Child("web", web_command(args.host, args.port), {**shared, "VSM_ROLE": "web"})
    worker = Child("worker", [sys.executable, "-m", "vsm", "worker"], {**shared, "VSM_ROLE": "worker", "VSM_KEY_PASSPHRASE": passphrase})
    with Supervisor() as supervisor:
        supervisor.add(web)
        answering = _answers(args.host, args.port, web, supervisor)
        supervisor.add(worker)  # after the first page, so that it does not compete with it for the processor
        if answering:
            _welcome(own, accounts)
            supervisor.watch()
    return 0 if answering or supervisor.stopping.is_set() else 1


def port_problem(host: str, port: int) -> str:
    """Why the server could not listen there, in one line; empty when it can."""
    if not 0 < port < 65536:
        return f"Port {port} does not exist: choose one from 1024 to 65535 with --port."
    try:
        family, kind, _proto, _name, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except PermissionError:
        return f"Port {port} needs an administrator's rights: choose one above 1023, for example --port 8000."
    except socket.gaierror:
        return _elsewhere(host)
    except OSError as cause:
        if cause.errno == errno.EADDRNOTAVAIL:
            return _elsewhere(host)
        return f"Port {port} on {host} is taken by another program: choose another, for example ./vsm up --port {port + 1}."
    return ""


def _elsewhere(host: str) -> str:
    return f"{host} is not an address of this computer: leave out --host, or write 0.0.0.0 for all of them."


def _environment(args: argparse.Namespace) -> None:
    """What the options mean as settings; what the environment already says stays."""
    everywhere = args.host in {"0.0.0.0", "::"}  # noqa: S104 -- compared, not bound
    shown = socket.gethostname() if everywhere else args.host.replace("127.0.0.1", "localhost")
    os.environ.setdefault("VSM_BASE_URL", f"http://{f'[{shown}]' if ':' in shown else shown}:{args.port}")  # noqa: TID251 -- see above
    if everywhere:
        own = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)}
        os.environ.setdefault("VSM_HOSTS", ",".join(map(str, [shown, "localhost", "127.0.0.1", *sorted(map(str, own))])))  # noqa: TID251 -- see above
    if args.data:
        os.environ["VSM_DATA"] = str(args.data.resolve())  # noqa: TID251 -- see above


def _passphrase(own: Settings) -> str:
    """The signing keys' passphrase on one computer: made once, mode 600, handed to the worker alone."""
    if own.key_passphrase:
        return own.key_passphrase
    path = own.data / "keys" / "passphrase"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii").strip()
    with os.fdopen(handle, "w") as file:
        made = secrets.token_urlsafe(32)
        file.write(made)
    return made


def _answers(host: str, port: int, web: Child, supervisor: Supervisor) -> bool:
    """Wait for the first page. False when asked to stop meanwhile, or when nothing answers."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- translated to the loopback
    end = monotonic() + PATIENCE
    while not supervisor.stopping.is_set() and monotonic() < end:
        connection = http.client.HTTPConnection(local, port, timeout=10)
        try:
            connection.request("GET", "/", headers={"Host": "localhost"})
            status = connection.getresponse().status
        except OSError:
            sleep(0.05)
            if not web.alive:
                break
        else:
            if status >= 500:
                print(f"The first page answered {status}: look at the lines above, and run ./vsm doctor.", file=sys.stderr)
            return True
        finally:
            connection.close()
    if not supervisor.stopping.is_set():
        print("The web server does not answer: look at the lines above, and run ./vsm doctor.", file=sys.stderr)
    return False


def _welcome(own: Settings, accounts: list[dict[str, str]]) -> None:
    lines = ["", f"OpenVSM is running: {own.base_url}/", f"Data: {own.data}", ""]
    if accounts:
        columns = ("who", "role", "email", "password")
        widths = {name: max(len(name), *(len(account[name]) for account in accounts)) for name in columns}
        lines += ["Demo accounts:"] + [
            "  " + "  ".join(row[name].ljust(widths[name]) for name in columns).rstrip() for row in [dict(zip(columns, columns, strict=True)), *accounts]
        ]
    else:
        lines += ["There are no demo accounts. Make the first account: ./vsm add-operator EMAIL --name NAME"]
    print("\n".join([*lines, "", "Ctrl-C stops everything."]), flush=True)
