"""The rules of `docs/architecture.md`, each a function from parsed modules to broken places."""

import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from tests.support.source_tree import Import, Module, called, dotted, last_name, read_tree

PRODUCT = ("app", "nearl_core", "main.py")
MODULE_LINES = 400
FUNCTION_LINES = 60

Node = TypeVar("Node", bound=ast.AST)
Rule = Callable[[Sequence[Module]], list[str]]

GUARD = tuple(f"nearl_core/scans/{name}.py" for name in ("guard", "pool", "worker"))
GUI = ("PySide6", "shiboken6", "pyqtgraph", "app")
HEAVY = ("torch", "torchvision", "open_clip", "timm", "transformers")
NETWORK = (
    "socket",
    "ssl",
    "http",
    "ftplib",
    "smtplib",
    "poplib",
    "imaplib",
    "telnetlib",
    "socketserver",
    "xmlrpc",
    "urllib.request",
    "urllib.error",
    "urllib3",
    "requests",
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "aiohttp",
    "websocket",
    "websockets",
    "huggingface_hub",
    "webbrowser",
    "torch.hub",
    "PySide6.QtNetwork",
    "PySide6.QtWebSockets",
)
DOORS = {
    "open_clip": ("nearl_core/model/backbones.py",),
    "pydicom": ("nearl_core/dicom/",),
    "highdicom": ("nearl_core/dicom/",),
    "PIL": ("nearl_core/scans/raster.py", "nearl_core/scans/written.py"),
    "nibabel": ("nearl_core/scans/nifti.py", "nearl_core/scans/volume.py"),
    "sqlalchemy": ("nearl_core/store/",),
    "alembic": ("nearl_core/store/migrations.py", "nearl_core/store/steps/"),
    "matplotlib": ("nearl_core/bench/plot.py",),
}
THREAD_MAKERS = (
    "threading.Thread",
    "threading.Timer",
    "_thread",
    "concurrent.futures.ThreadPoolExecutor",
    "concurrent.futures.ProcessPoolExecutor",
    "concurrent.futures.thread",
    "concurrent.futures.process",
    "multiprocessing",
    "asyncio.to_thread",
    "PySide6.QtCore.QThread",
    "PySide6.QtCore.QThreadPool",
    "PySide6.QtCore.QRunnable",
    "PySide6.QtConcurrent",
)
VIEW_MAY_SEE = (
    "PySide6.QtCore",
    "PySide6.QtGui",
    "PySide6.QtWidgets",
    "PySide6.QtSvg",
    "PySide6.QtSvgWidgets",
    "numpy",
    "nearl_core.types",
    "nearl_core.errors",
    "app.strings",
    "app.models",
    "app.views",
)
PLOTTING_VIEWS = ("app/views/image_canvas.py", "app/views/loss_plot.py")
UNSAFE_READERS = ("yaml.unsafe_load", "yaml.full_load")
SAFE_LOADERS = {"SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader"}
PICKLES = ("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve")
CATCH_ALL = ("app/jobs.py", "app/errors.py", *GUARD)


def core_without_gui(modules: Sequence[Module]) -> list[str]:
    """Rule 1: `nearl_core` imports neither Qt, pyqtgraph nor `app`."""
    core = [m for m in modules if m.within("nearl_core/")]
    return _imports(core, lambda _, i: i.within(*GUI), "the engine knows no window")


def desk_without_engine_libraries(modules: Sequence[Module]) -> list[str]:
    """Rule 2: the desk imports no engine library, and the engine only inside a job."""
    desk = [m for m in modules if m.within("app/", "main.py")]
    libraries = (*HEAVY, "safetensors", "PIL", *DOORS)
    broken = _imports(desk, lambda _, i: i.within(*libraries), "that is the engine's")
    early = _imports(
        desk,
        lambda _, i: i.at_start and i.within("nearl_core.engine"),
        "the engine is imported inside the first engine job",
    )
    return broken + early


def start_without_torch(modules: Sequence[Module]) -> list[str]:
    """Rule 2, all the way: no chain of imports at start leads from the desk to torch."""
    by_name = {m.name: m for m in modules}
    waiting = [(m, m.name) for m in modules if m.within("app/", "main.py")]
    seen = {m.name for m, _ in waiting}
    broken = []
    while waiting:
        module, chain = waiting.pop()
        for found in (i for i in module.imports if i.at_start):
            if found.within(*HEAVY):
                broken.append(f"{module.file}:{found.line} loads {found.name} at start: {chain}")
            for target in _targets(found, by_name):
                if target not in seen:
                    seen.add(target)
                    waiting.append((by_name[target], f"{chain} > {target}"))
    return broken


def views_show_only(modules: Sequence[Module]) -> list[str]:
    """Rule 3: views see values and each other; controllers see no widgets."""
    views = [m for m in modules if m.within("app/views/")]
    broken = _imports(views, lambda m, i: not _view_may(m, i), "a view shows values and no more")
    controllers = [m for m in modules if m.within("app/controllers/")]
    widgets = ("PySide6.QtWidgets", "pyqtgraph", "app.views")
    return broken + _imports(controllers, lambda _, i: i.within(*widgets), "controllers see none")


def one_door_each(modules: Sequence[Module]) -> list[str]:
    """Rule 4: each library that reads foreign files or the store has one door."""
    return _imports(
        modules,
        lambda m, i: any(i.within(name) and not m.within(*door) for name, door in DOORS.items()),
        "its door is elsewhere (rule 4)",
    )


def model_and_store_apart(modules: Sequence[Module]) -> list[str]:
    """Rule 5: `model/` and `learn/` know nothing of `store/`, nor the other way."""
    learn = [m for m in modules if m.within("nearl_core/model/", "nearl_core/learn/")]
    store = [m for m in modules if m.within("nearl_core/store/")]
    learners = ("nearl_core.model", "nearl_core.learn")
    why = "learning and keeping stay apart"
    broken = _imports(learn, lambda _, i: i.within("nearl_core.store"), why)
    return broken + _imports(store, lambda _, i: i.within(*learners), why)


def threads_in_two_places(modules: Sequence[Module]) -> list[str]:
    """Rule 6: threads, executors and processes are made by the job runner and the guard alone."""
    outside = [m for m in modules if not m.within("app/jobs.py", *GUARD)]
    why = "threads are made in app/jobs.py and the guard"
    broken = _imports(outside, lambda _, i: i.within(*THREAD_MAKERS), why)
    for module in outside:
        for node in _nodes(module, ast.Attribute):
            if dotted(node) in THREAD_MAKERS or last_name(node) in {"QThread", "QThreadPool"}:
                broken.append(f"{module.file}:{node.lineno} uses {dotted(node)}: {why}")
    return broken


def no_forced_events_or_ends(modules: Sequence[Module]) -> list[str]:
    """Rule 6: no `processEvents`; no `terminate` but on the guard's child processes."""
    why = "it re-enters or tears running work"
    broken = []
    for module in modules:
        broken += _calls(module, lambda c: called(c) == "processEvents", why)
        if not module.within(*GUARD):
            broken += _calls(module, lambda c: called(c) == "terminate", why)
    return broken


def network_behind_one_door(modules: Sequence[Module]) -> list[str]:
    """Rule 7: network modules are imported in `model/hub.py` alone."""
    outside = [m for m in modules if not m.within("nearl_core/model/hub.py")]
    return _imports(outside, lambda _, i: i.within(*NETWORK), "no byte leaves the machine here")


def no_cycle(modules: Sequence[Module]) -> list[str]:
    """Rule 8: imports form no cycle, those inside functions included."""
    by_name = {m.name: m for m in modules}
    edges = {
        m.name: sorted({t for i in m.imports for t in _targets(i, by_name)} - {m.name})
        for m in modules
    }
    done: set[str] = set()
    cycles: dict[frozenset[str], str] = {}
    for name in sorted(edges):
        if cycle := _cycle_from(name, edges, [], done):
            cycles.setdefault(frozenset(cycle), "import cycle: " + " > ".join(cycle))
    return list(cycles.values())


def short_modules_and_functions(modules: Sequence[Module]) -> list[str]:
    """Rule 8: no module above 400 lines, no function above 60."""
    broken = [
        f"{m.file} has {m.lines} lines, {MODULE_LINES} are the limit"
        for m in modules
        if m.lines > MODULE_LINES
    ]
    for module in modules:
        for node in _functions(module):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                place = f"{module.file}:{node.lineno} {node.name}"
                broken.append(f"{place} has {lines} lines, {FUNCTION_LINES} are the limit")
    return broken


def no_executable_formats(modules: Sequence[Module]) -> list[str]:
    """Promise: nothing read from disk can run code."""
    why = "a file that is read could run code"
    broken = _imports(modules, lambda _, i: i.within(*PICKLES, *UNSAFE_READERS), why)
    # Weights of a hub that has them pickled only: a child process of its own reads them, once.
    child = "nearl_core.model.pickled"
    broken += _imports(modules, lambda _, i: i.within(child), "only its own process runs it")
    for module in modules:
        safe = SAFE_LOADERS | _classes_over(SAFE_LOADERS, module)
        broken += _calls(module, lambda c, s=safe: _unsafe_load(c, s), why)  # type: ignore[misc]
        if not module.within("nearl_core/model/pickled.py"):
            where = "torch.load stands in model/pickled.py alone"
            broken += _calls(module, lambda c: dotted(c.func) == "torch.load", where)
    return broken


def prints_in_commands_only(modules: Sequence[Module]) -> list[str]:
    """`print` stands in the command line's modules alone."""
    broken = []
    for module in modules:
        if not (module.within("nearl_core/cli/") or module.file.endswith("/__main__.py")):
            broken += _calls(module, lambda c: dotted(c.func) == "print", "use the log or a report")
    return broken


def catch_all_in_job_runner(modules: Sequence[Module]) -> list[str]:
    """`except Exception` stands in the job runner, the excepthook and the guard's child alone.

    A handler that tidies up and raises again hides nothing and is free.
    """
    broken = []
    for module in modules:
        if module.within(*CATCH_ALL):
            continue
        for node in _nodes(module, ast.ExceptHandler):
            if isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None:
                continue
            types = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {last_name(t) if t else "everything" for t in types}
            if wide := names & {"Exception", "BaseException", "everything"}:
                broken.append(f"{module.file}:{node.lineno} catches {wide.pop()}: it hides bugs")
    return broken


RULES: tuple[Rule, ...] = (
    core_without_gui,
    desk_without_engine_libraries,
    start_without_torch,
    views_show_only,
    one_door_each,
    model_and_store_apart,
    threads_in_two_places,
    no_forced_events_or_ends,
    network_behind_one_door,
    no_cycle,
    short_modules_and_functions,
    no_executable_formats,
    prints_in_commands_only,
    catch_all_in_job_runner,
)


def read_product(root: Path) -> list[Module]:
    """All modules of the product, parsed."""
    return read_tree(root, *PRODUCT)


def _imports(
    modules: Sequence[Module], is_broken: Callable[[Module, Import], bool], why: str
) -> list[str]:
    return [
        f"{m.file}:{i.line} imports {i.name}: {why}"
        for m in modules
        for i in m.imports
        if is_broken(m, i)
    ]


def _calls(module: Module, is_broken: Callable[[ast.Call], bool], why: str) -> list[str]:
    return [
        f"{module.file}:{node.lineno} calls {dotted(node.func) or called(node)}: {why}"
        for node in _nodes(module, ast.Call)
        if is_broken(node)
    ]


def _nodes(module: Module, *kinds: type[Node]) -> Iterator[Node]:
    return (node for node in ast.walk(module.tree) if isinstance(node, kinds))


def _functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from _nodes(module, ast.FunctionDef)
    yield from _nodes(module, ast.AsyncFunctionDef)


def _view_may(module: Module, found: Import) -> bool:
    if found.within("pyqtgraph"):
        return module.within(*PLOTTING_VIEWS)
    return found.within(*VIEW_MAY_SEE) or found.name.split(".")[0] in sys.stdlib_module_names


def _targets(found: Import, by_name: dict[str, Module]) -> list[str]:
    """The module of the tree that an import names, if any: itself, or what it is a part of."""
    parent = found.name.rpartition(".")[0]
    return [name for name in (found.name, parent) if name in by_name][:1]


def _cycle_from(
    name: str, edges: dict[str, list[str]], path: list[str], done: set[str]
) -> list[str]:
    if name in path:
        return [*path[path.index(name) :], name]
    if name in done:
        return []
    for target in edges[name]:
        if cycle := _cycle_from(target, edges, [*path, name], done):
            return cycle
    done.add(name)
    return []


def _classes_over(bases: set[str], module: Module) -> set[str]:
    classes = _nodes(module, ast.ClassDef)
    return {c.name for c in classes if c.bases and {last_name(b) for b in c.bases} <= bases}


def _unsafe_load(call: ast.Call, safe_loaders: set[str]) -> bool:
    keywords = {k.arg: k.value for k in call.keywords}
    name = dotted(call.func)
    if name == "torch.load":
        safe = keywords.get("weights_only")
        return not (isinstance(safe, ast.Constant) and safe.value is True)
    if name in {"np.load", "numpy.load"}:
        return "allow_pickle" in keywords
    if name == "yaml.load":
        return last_name(keywords.get("Loader", call)) not in safe_loaders
    return name in {"eval", "exec", *UNSAFE_READERS}
