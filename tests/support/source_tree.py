"""The project's modules as the architecture test sees them: parsed, never imported."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """One imported name.

    Attributes:
        name: Dotted, absolute, as long as the statement tells: `from a import b` gives "a.b".
        line: Where it stands.
        at_start: Whether it runs when the module is imported, and not inside a function.
    """

    name: str
    line: int
    at_start: bool

    def within(self, *packages: str) -> bool:
        """Whether the name is one of the packages or stands inside one."""
        return any(self.name == p or self.name.startswith(p + ".") for p in packages)


@dataclass(frozen=True)
class Module:
    """One parsed file.

    Attributes:
        file: Path from the root with forward slashes, such as "nearl_core/engine.py".
        name: Dotted, such as "nearl_core.engine".
    """

    file: str
    name: str
    tree: ast.Module
    lines: int
    imports: tuple[Import, ...]

    def within(self, *places: str) -> bool:
        """Whether the file is one of the places, or stands under one that ends in a slash."""
        return any(self.file.startswith(p) if p.endswith("/") else self.file == p for p in places)


def read_tree(root: Path, *places: str) -> list[Module]:
    """Parse all modules under the places (folders or files) of a root, in order of their files."""
    return parse_tree(dict(_sources(root, places)))


def parse_tree(sources: Mapping[str, str]) -> list[Module]:
    """Parse modules given as texts by file."""
    return [_parse(file, text) for file, text in sorted(sources.items())]


def _sources(root: Path, places: Iterable[str]) -> Iterator[tuple[str, str]]:
    for place in places:
        path = root / place
        for found in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if found.is_file():
                yield found.relative_to(root).as_posix(), found.read_text(encoding="utf-8")


def _parse(file: str, text: str) -> Module:
    parts = file.removesuffix(".py").split("/")
    is_package = parts[-1] == "__init__"
    name = ".".join(parts[:-1] if is_package else parts)
    package = name if is_package else name.rpartition(".")[0]
    tree = ast.parse(text, file)
    imports = tuple(_imports(tree, package, at_start=True))
    return Module(file, name, tree, len(text.splitlines()), imports)


def _imports(node: ast.AST, package: str, *, at_start: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        names = _imported(child, package)
        yield from (Import(name, child.lineno, at_start) for name in names)  # type: ignore[attr-defined]
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _imports(child, package, at_start=at_start and not inside and not _typing(child))


def _imported(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = _absolute(node.module or "", node.level, package)
        return [base if alias.name == "*" else f"{base}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and called(node) in {"import_module", "__import__"}:
        first = node.args[0] if node.args else None
        return [str(first.value)] if isinstance(first, ast.Constant) else []
    return []


def _absolute(module: str, level: int, package: str) -> str:
    if not level:
        return module
    parts = package.split(".")
    above = parts[: len(parts) - level + 1]
    return ".".join([*above, module] if module else above)


def _typing(node: ast.AST) -> bool:
    """Whether a node is `if TYPE_CHECKING:`, which never runs."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def called(node: ast.Call) -> str:
    """The last name of what a call calls: "load" for `torch.load(...)`."""
    return last_name(node.func)


def last_name(node: ast.AST) -> str:
    """The last part of a name: "load" for `torch.load`; "" for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def dotted(node: ast.AST) -> str:
    """A name in full: "torch.load"; "" where it is not a plain one."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""
