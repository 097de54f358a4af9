"""What libraries import and the monitor does not use is not loaded, and is there for whoever uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from oomtop.tui.base.spare_modules import ABSENT, STAND_INS

SPARE = (*ABSENT, *STAND_INS)
LOADED = """
import sys
from oomtop.commands import monitor
from oomtop.tui.base.spare_modules import without_spare_modules

with without_spare_modules():
    import oomtop.tui.plain.loop
monitor._load()
from oomtop.tui.shell.lifecycle import load_keys

load_keys()
import oomtop.actions.dispatch
import asyncio.base_events, shutil, urllib.parse, plotext, textual.app, textual.css._style_properties as properties
"""


def run(script: str) -> str:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", LOADED + script], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_started_monitor_has_none_of_them() -> None:
    # `typing` of Python 3.10 lacks what the libraries ask typing_extensions for.
    needed = ["typing_extensions"] if sys.version_info < (3, 11) else []
    assert run(f"print([name for name in {SPARE!r} if name in sys.modules])") == f"{needed}\n"


@pytest.mark.parametrize("name", SPARE)
def test_each_is_imported_as_usual_afterwards(name: str) -> None:
    # Debian's Python has some of them in the interpreter, without a file.
    module = f"sys.modules[{name!r}]"
    assert run(f"import importlib; importlib.import_module({name!r}); print(type({module}).__name__)") == "module\n"
    assert run(f"import importlib; importlib.import_module({name!r}); print(len(dir({module})) > 8)") == "True\n"


def test_another_thread_finds_all_of_them_meanwhile() -> None:
    script = """
import sys, threading
from oomtop.tui.base.spare_modules import without_spare_modules

found = []
def look():
    import gzip, lzma, bz2, ssl, ipaddress
    found.append(gzip.decompress(gzip.compress(b"x")) + lzma.decompress(lzma.compress(b"y")))
    found.append(ipaddress.ip_address("::1").version)

with without_spare_modules():
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
print(found)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[b'xy', 6]\n", "")


@pytest.mark.parametrize(
    ("used", "told"),
    [
        ("urllib.parse.urlsplit('http://[::1]:80/').hostname", "::1"),
        ("textual.app.mimetypes.guess_type('a.svg')[0]", "image/svg+xml"),
        ("textual.app.user_downloads_path().is_absolute()", "True"),
        ("type(properties.color_property_help_text('color', 'css', value='rad')).__name__", "HelpText"),
        ("asyncio.base_events.sslproto.SSLProtocol.__name__", "SSLProtocol"),
        ("(plotext.clear_figure(), plotext.plot([1, 2], [1, 2]), plotext.build())[2].count('\\n') > 5", "True"),
    ],
)
def test_whoever_uses_one_gets_it(used: str, told: str) -> None:
    assert run(f"print({used})") == f"{told}\n"
