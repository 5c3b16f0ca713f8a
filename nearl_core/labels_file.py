"""Label sets as files: read from YAML, JSON or a list on the command line, and written back.

A file holds a list of labels, or `multi_label` and `labels`; a label is a name, or a mapping of
`name`, `id`, `prompts`, `code` and `parent` (the name or id of another one). See
`resources/label_sets/` for examples.
"""

import json
import os
import re
import unicodedata
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

from nearl_core.errors import LabelSetError
from nearl_core.types import Label, LabelSet

MAX_BYTES: Final = 256 * 1024
MAX_LABELS: Final = 500
MAX_PROMPTS: Final = 64
MAX_TEXT: Final = 500
_KEYS: Final = frozenset({"name", "id", "prompts", "prompt", "code", "parent"})
_TOP_KEYS: Final = frozenset({"title", "description", "multi_label", "labels"})
_ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})
_TAGS: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))
_SHAPE: Final = "Write a list of names, or see the templates in resources/label_sets."


@dataclass(frozen=True)
class Template:
    """A label set to start from: its title, one sentence on it, and its labels."""

    name: str
    title: str
    description: str
    label_set: LabelSet


class _Loader(yaml.BaseLoader):
    """Everything is text: a label named `No` stays `No`, and nothing is ever executed."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases: a few lines of them say more than any memory holds."""
        if self.check_event(yaml.AliasEvent):
            raise LabelSetError("The label set holds a YAML alias.", _SHAPE)
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401
        """Refuse tags: no label set needs one."""
        if node.tag not in _TAGS:
            raise LabelSetError("The label set holds a YAML tag.", _SHAPE)
        return super().construct_object(node, deep)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a key that stands twice, where YAML would drop the first one silently."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        _refuse_repeated(keys)
        return super().construct_mapping(node, deep)


def _refuse_repeated(keys: Iterable[object]) -> None:
    seen: set[str] = set()
    for key in map(str, keys):
        if key in seen:
            raise LabelSetError(f"The key {key[:60]!r} stands twice in one place.", "Remove one.")
        seen.add(key)


def _json_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    _refuse_repeated(key for key, _ in pairs)
    return dict(pairs)


def from_argument(text: str, *, multi_label: bool = False) -> LabelSet:
    """A label set as named on the command line: a file, a template's name, or `a,b,c`.

    Raises:
        LabelSetError: If it can't be read or used.
    """
    path = Path(text)
    if path.suffix.lower() in _ENDINGS:
        found = read(path)
    elif "," not in text and text in template_names():
        found = template(text).label_set
    else:
        found = from_names(text.split(","))
    return replace(found, multi_label=True) if multi_label else found


def from_names(names: Iterable[str]) -> LabelSet:
    """A label set of names, with ids made from them.

    Raises:
        LabelSetError: If a name is empty or stands twice, or there is none.
    """
    return _label_set([name.strip() for name in names], multi_label=False)


def read(path: Path) -> LabelSet:
    """Read a label set from a YAML or JSON file.

    Raises:
        LabelSetError: If it can't be read or used.
    """
    return parse(_text(path), json_only=path.suffix.lower() == ".json")


def parse(text: str, *, json_only: bool = False) -> LabelSet:
    """Read a label set from the text of a YAML or JSON file.

    Raises:
        LabelSetError: If it is not one.
    """
    content = _content(text, json_only=json_only)
    if isinstance(content, list):
        return _label_set(content, multi_label=False)
    if not isinstance(content, dict) or not isinstance(content.get("labels"), list):
        raise LabelSetError("The file holds no list of labels.", _SHAPE)
    _refuse_unknown(content, _TOP_KEYS)
    return _label_set(content["labels"], multi_label=_truth(content.get("multi_label", False)))


def write(path: Path, label_set: LabelSet) -> None:
    """Write a label set as YAML (or JSON, by the ending), beside and renamed.

    Raises:
        LabelSetError: If it can't be written.
    """
    content = {
        "multi_label": label_set.multi_label,
        "labels": [_to_plain(label) for label in label_set.labels],
    }
    if path.suffix.lower() == ".json":
        text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    else:
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)
    beside = path.with_name(f"{path.name}.partial-{os.getpid()}")
    try:
        try:
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise LabelSetError(
            f"The label set can't be written ({error.strerror}).", "Choose another place."
        ) from error


def template_names() -> list[str]:
    """The names of the templates that come with the application."""
    return sorted(path.stem for path in _templates_folder().glob("*.yaml"))


def template(name: str) -> Template:
    """A template that comes with the application.

    Raises:
        LabelSetError: If there is none of this name.
    """
    if name not in template_names():
        raise LabelSetError(
            f"There is no template {name!r}.", f"There are: {', '.join(template_names())}."
        )
    text = _text(_templates_folder() / f"{name}.yaml")
    content = _content(text, json_only=False)
    label_set = parse(text)
    return Template(name, content["title"], content["description"].strip(), label_set)


def slug(name: str) -> str:
    """An id made from a name: small ASCII letters, digits and hyphens; "" where none are left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60]


def new_id(name: str, taken: Iterable[str]) -> str:
    """An id for a new label that no other label has."""
    stem = slug(name) or "label"
    used = set(taken)
    number = 1
    candidate = stem
    while candidate in used:
        number += 1
        candidate = f"{stem}-{number}"
    return candidate


def _templates_folder() -> Path:
    return Path(__file__).parent.parent / "resources" / "label_sets"


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise LabelSetError(
            f"The label set {path.name} can't be read ({error.strerror}).",
            "Check the path, or name the labels as a,b,c.",
        ) from error
    if len(data) > MAX_BYTES:
        raise LabelSetError(
            f"The label set {path.name} is larger than {MAX_BYTES // 1024} kB.",
            "Choose a file that holds labels only.",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelSetError(
            f"The label set {path.name} is not text in UTF-8.", "Save it as UTF-8."
        ) from error


def _content(text: str, *, json_only: bool) -> Any:  # noqa: ANN401 - what a file holds
    try:
        if json_only:
            return json.loads(text, object_pairs_hook=_json_object)
        # _Loader is BaseLoader, which makes text, lists and mappings only.
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = "" if mark is None else f" in line {mark.line + 1}"
        raise LabelSetError(f"The label set is not valid YAML{line}.", _SHAPE) from error
    except json.JSONDecodeError as error:
        raise LabelSetError(
            f"The label set is not valid JSON in line {error.lineno}.", _SHAPE
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise LabelSetError("The label set can't be read.", _SHAPE) from error


def _refuse_unknown(content: dict[str, object], known: frozenset[str]) -> None:
    for key in content:
        if key not in known:
            raise LabelSetError(
                f"The label set holds {str(key)[:60]!r}, which means nothing here.",
                f"What may stand there: {', '.join(sorted(known))}.",
            )


def _truth(value: object) -> bool:
    text = str(value).strip().lower()
    if text in {"true", "yes", "on", "1"}:
        return True
    if text in {"false", "no", "off", "0", ""}:
        return False
    raise LabelSetError(f"multi_label is {text[:60]!r}.", "Write true or false.")


def _one_line(value: object, what: str) -> str:
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise LabelSetError(f"A {what} in the label set is not text.", _SHAPE)
    text = str(value).strip()
    if len(text) > MAX_TEXT or any(unicodedata.category(mark) in {"Cc", "Cs"} for mark in text):
        raise LabelSetError(
            f"A {what} in the label set is too long or holds control characters.",
            f"Write one line of at most {MAX_TEXT} characters.",
        )
    return text


def _label_set(entries: list[Any], *, multi_label: bool) -> LabelSet:
    if len(entries) > MAX_LABELS:
        raise LabelSetError(
            f"The label set has {len(entries)} labels.", f"At most {MAX_LABELS} can be used."
        )
    drafts = [_label(entry) for entry in entries]
    taken = [label.id for label in drafts if label.id]
    labels = []
    for label in drafts:
        if not label.id and label.name:
            label = replace(label, id=new_id(label.name, taken))
            taken.append(label.id)
        labels.append(label)
    return LabelSet(_with_parents(labels), multi_label=multi_label)


def _with_parents(labels: list[Label]) -> tuple[Label, ...]:
    """Labels whose parents are named by id; a file may name them by name."""
    ids = {label.id for label in labels}
    by_name = {label.name.casefold(): label.id for label in labels}

    def parent(named: str) -> str:
        return named if named in ids else by_name.get(named.casefold(), named)

    return tuple(replace(label, parent=parent(label.parent)) for label in labels)


def _label(entry: object) -> Label:
    if not isinstance(entry, dict):
        return Label("", _one_line(entry, "label name"))
    _refuse_unknown(entry, _KEYS)
    prompts = entry.get("prompts", entry.get("prompt", []))
    if isinstance(prompts, str):
        prompts = [prompts] if prompts.strip() else []
    if not isinstance(prompts, list) or len(prompts) > MAX_PROMPTS:
        raise LabelSetError(
            "The prompts of a label are not a list, or too many.",
            f"Write a list of at most {MAX_PROMPTS} texts.",
        )
    texts = (_one_line(prompt, "prompt") for prompt in prompts)
    return Label(
        id=_one_line(entry.get("id", ""), "label id"),
        name=_one_line(entry.get("name", ""), "label name"),
        prompts=tuple(text for text in texts if text),
        code=_one_line(entry.get("code", ""), "code"),
        parent=_one_line(entry.get("parent", ""), "parent"),
    )


def _to_plain(label: Label) -> dict[str, object]:
    plain: dict[str, object] = {"name": label.name, "id": label.id}
    if label.code:
        plain["code"] = label.code
    if label.parent:
        plain["parent"] = label.parent
    if label.prompts:
        plain["prompts"] = list(label.prompts)
    return plain
