"""The product keeps the rules of `docs/architecture.md`, and each rule can catch who breaks it."""

from pathlib import Path

import pytest

from tests.support import architecture as rules
from tests.support.source_tree import Module, parse_tree

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def product() -> list[Module]:
    return rules.read_product(ROOT)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_product_keeps(rule: rules.Rule, product: list[Module]) -> None:
    broken = rule(product)
    assert not broken, f"{(rule.__doc__ or '').splitlines()[0]}\n" + "\n".join(broken)


def test_the_product_is_all_there(product: list[Module]) -> None:
    files = {module.file for module in product}
    assert {"main.py", "app/jobs.py", "nearl_core/types/__init__.py"} <= files


LONG = "def long() -> None:\n" + "    pass\n" * 60

BREACHES: list[tuple[rules.Rule, str, str]] = [
    (rules.core_without_gui, "nearl_core/a.py", "from PySide6.QtCore import QObject"),
    (rules.core_without_gui, "nearl_core/a.py", "def f():\n    from app import strings"),
    (rules.core_without_gui, "nearl_core/scans/a.py", "import pyqtgraph as pg"),
    (rules.desk_without_engine_libraries, "app/a.py", "def f():\n    import torch.nn"),
    (rules.desk_without_engine_libraries, "app/a.py", "from PIL import Image"),
    (rules.desk_without_engine_libraries, "main.py", "import sqlalchemy"),
    (rules.desk_without_engine_libraries, "app/a.py", "from importlib import import_module\n"
     "import_module('pydicom')"),
    (rules.desk_without_engine_libraries, "app/a.py", "from nearl_core.engine import Engine"),
    (rules.views_show_only, "app/views/a.py", "from nearl_core.store.project import Project"),
    (rules.views_show_only, "app/views/a.py", "from app.controllers.review import Review"),
    (rules.views_show_only, "app/views/a.py", "import pyqtgraph"),
    (rules.views_show_only, "app/views/dialogs/a.py", "from ...session import Session"),
    (rules.views_show_only, "app/controllers/a.py", "from PySide6.QtWidgets import QDialog"),
    (rules.views_show_only, "app/controllers/a.py", "from PySide6 import QtWidgets"),
    (rules.one_door_each, "nearl_core/engine.py", "import open_clip"),
    (rules.one_door_each, "nearl_core/export/a.py", "from pydicom import dcmread"),
    (rules.one_door_each, "nearl_core/dicom/a.py", "import PIL.Image"),
    (rules.one_door_each, "nearl_core/export/a.py", "def f():\n    import sqlalchemy.engine"),
    (rules.model_and_store_apart, "nearl_core/learn/a.py", "from nearl_core.store import project"),
    (rules.model_and_store_apart, "nearl_core/model/a.py", "from ..store.project import Project"),
    (rules.model_and_store_apart, "nearl_core/store/a.py", "import nearl_core.learn.instant"),
    (rules.threads_in_two_places, "app/session.py", "from threading import Thread"),
    (rules.threads_in_two_places, "app/session.py", "import threading\nthreading.Thread()"),
    (rules.threads_in_two_places, "nearl_core/a.py", "import multiprocessing as mp"),
    (rules.threads_in_two_places, "nearl_core/a.py",
     "from concurrent.futures import ThreadPoolExecutor"),
    (rules.threads_in_two_places, "app/a.py", "from PySide6.QtCore import QThread"),
    (rules.threads_in_two_places, "app/a.py", "from PySide6 import QtCore\nQtCore.QThread()"),
    (rules.no_forced_events_or_ends, "app/a.py", "def f(app):\n    app.processEvents()"),
    (rules.no_forced_events_or_ends, "app/jobs.py", "def f(thread):\n    thread.terminate()"),
    (rules.network_behind_one_door, "nearl_core/a.py", "import urllib.request"),
    (rules.network_behind_one_door, "nearl_core/a.py", "from urllib import request"),
    (rules.network_behind_one_door, "app/a.py", "from PySide6.QtNetwork import QLocalServer"),
    (rules.network_behind_one_door, "nearl_core/a.py", "def f():\n    import huggingface_hub"),
    (rules.short_modules_and_functions, "nearl_core/a.py", "x = 1\n" * 401),
    (rules.short_modules_and_functions, "nearl_core/a.py", LONG),
    (rules.no_executable_formats, "nearl_core/a.py", "import pickle"),
    (rules.no_executable_formats, "nearl_core/a.py", "from yaml import unsafe_load"),
    (rules.no_executable_formats, "nearl_core/a.py", "import yaml\nyaml.load('x')"),
    (rules.no_executable_formats, "nearl_core/a.py", "import yaml\n"
     "class Loader(yaml.FullLoader): ...\nyaml.load('x', Loader=Loader)"),
    (rules.no_executable_formats, "nearl_core/a.py", "import numpy as np\n"
     "np.load('x', allow_pickle=True)"),
    (rules.no_executable_formats, "nearl_core/model/pickled.py", "import torch\n"
     "torch.load('x')"),
    (rules.no_executable_formats, "nearl_core/model/pickled.py", "import torch\n"
     "torch.load('x', weights_only=False)"),
    (rules.no_executable_formats, "nearl_core/a.py", "from nearl_core.model import pickled"),
    (rules.network_behind_one_door, "nearl_core/model/backbones.py", "import huggingface_hub"),
    (rules.no_executable_formats, "nearl_core/model/a.py", "import torch\n"
     "torch.load('x', weights_only=True)"),
    (rules.prints_in_commands_only, "nearl_core/engine.py", "print('done')"),
    (rules.catch_all_in_job_runner, "app/a.py", "try:\n    pass\nexcept Exception:\n    pass"),
    (rules.catch_all_in_job_runner, "app/a.py", "try:\n    pass\nexcept:\n    pass"),
    (rules.catch_all_in_job_runner, "app/a.py",
     "try:\n    pass\nexcept (OSError, BaseException):\n    pass"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "file", "text"), BREACHES)
def test_a_breach_is_named_with_its_file(rule: rules.Rule, file: str, text: str) -> None:
    broken = rule(parse_tree({file: text}))
    assert [message.split(":")[0].split(" ")[0] for message in broken] == [file]


ALLOWED: list[tuple[rules.Rule, str, str]] = [
    (rules.desk_without_engine_libraries, "app/a.py",
     "def job():\n    from nearl_core.engine import Engine"),
    (rules.views_show_only, "app/views/image_canvas.py", "import pyqtgraph\nimport math"),
    (rules.views_show_only, "app/views/a.py", "from app import strings\nimport numpy as np"),
    (rules.one_door_each, "nearl_core/dicom/read.py", "import pydicom"),
    (rules.one_door_each, "nearl_core/a.py", "import pydicomlike"),
    (rules.threads_in_two_places, "app/jobs.py", "import threading\nthreading.Thread()"),
    (rules.threads_in_two_places, "app/a.py", "import threading\nthreading.Lock()"),
    (rules.no_forced_events_or_ends, "nearl_core/scans/guard.py", "def f(p):\n    p.terminate()"),
    (rules.network_behind_one_door, "nearl_core/a.py", "from urllib.parse import quote"),
    (rules.no_executable_formats, "nearl_core/model/pickled.py", "import torch\n"
     "torch.load('x', weights_only=True)"),
    (rules.no_executable_formats, "nearl_core/a.py", "import yaml\n"
     "class Loader(yaml.BaseLoader): ...\nyaml.load('x', Loader=Loader)"),
    (rules.prints_in_commands_only, "nearl_core/cli/demo.py", "print('done')"),
    (rules.catch_all_in_job_runner, "nearl_core/a.py",
     "try:\n    pass\nexcept BaseException:\n    raise"),
    (rules.prints_in_commands_only, "nearl_core/a.py", "def f(report):\n    report.print()"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "file", "text"), ALLOWED)
def test_what_is_lawful_passes(rule: rules.Rule, file: str, text: str) -> None:
    assert rule(parse_tree({file: text})) == []


def test_torch_behind_an_innocent_import_is_found() -> None:
    tree = parse_tree(
        {
            "app/bootstrap.py": "from nearl_core import demo",
            "nearl_core/demo.py": "from nearl_core.model.towers import Tower",
            "nearl_core/model/towers.py": "import torch",
        }
    )
    (message,) = rules.start_without_torch(tree)
    assert "app.bootstrap > nearl_core.demo > nearl_core.model.towers" in message


def test_torch_inside_a_function_is_not_loaded_at_start() -> None:
    tree = parse_tree(
        {
            "app/bootstrap.py": "from nearl_core.engine import Engine",
            "nearl_core/engine.py": "def load():\n    import nearl_core.model.towers",
            "nearl_core/model/towers.py": "import torch",
        }
    )
    assert rules.start_without_torch(tree) == []


def test_a_cycle_through_a_function_is_found_once() -> None:
    tree = parse_tree(
        {
            "nearl_core/a.py": "from nearl_core.b import x",
            "nearl_core/b.py": "from . import c",
            "nearl_core/c.py": "def late():\n    import nearl_core.a",
            "nearl_core/d.py": "from nearl_core import a, b, c",
        }
    )
    (message,) = rules.no_cycle(tree)
    assert message == "import cycle: nearl_core.a > nearl_core.b > nearl_core.c > nearl_core.a"
