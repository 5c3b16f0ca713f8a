"""Commands on backbones: list, get, add, check."""

import argparse
from dataclasses import asdict
from pathlib import Path

from nearl_core.cli.arguments import SubParsers
from nearl_core.cli.output import Output


def add_commands(commands: SubParsers) -> None:
    """Register the commands."""
    backbones = commands.add_parser("backbones", help="the models to start from")
    what = backbones.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listed = what.add_parser("list", help="which are here, and which can be fetched")
    listed.set_defaults(run=_list)

    get = what.add_parser("get", help="download one; the only command that uses the network")
    get.add_argument("name", metavar="NAME")
    get.set_defaults(run=_get)

    add = what.add_parser("add", help="copy a folder in open_clip's layout, safetensors only")
    add.add_argument("path", type=Path, metavar="PATH")
    add.add_argument("--name", help="else the folder's own")
    add.set_defaults(run=_add)

    check = what.add_parser("check", help="measure what the adapters promise")
    check.add_argument("name", metavar="NAME", help="a backbone, a folder or an architecture")
    check.add_argument("--random", action="store_true", help="its architecture, random weights")
    check.add_argument("--seed", type=int, default=0, help="for images and adapters")
    check.set_defaults(run=_check)


def _list(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.model.backbone_list import entries

    del args
    for entry in entries():
        here = entry.folder is not None
        record: dict[str, object] = {
            "backbone": entry.name,
            "here": here,
            "folder": str(entry.folder) if here else None,
            "licence": entry.licence,
        }
        get = f"fetch with: backbones get {entry.name}"
        output.result(record, f"{entry.name}: {entry.folder or get}")


def _get(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.model.obtain import fetch

    _tell(fetch(args.name, output.control()), output)


def _add(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.model.obtain import add

    _tell(add(args.path, name=args.name, control=output.control()), output)


def _tell(folder: Path, output: Output) -> None:
    record = {"backbone": folder.name, "folder": str(folder)}
    output.result(record, f"The backbone {folder.name} is at {folder}.")


def _check(args: argparse.Namespace, output: Output) -> None:
    from nearl_core.model import backbones
    from nearl_core.model.check import check

    control = output.control()
    control.step(0, 0, "loading the backbone")
    if args.random:
        backbone = backbones.random(args.name, seed=args.seed)
    else:
        backbone = backbones.load(args.name)
    found = check(backbone, seed=args.seed, control=control)
    text = (
        f"{found.backbone}: {found.parameters:,} weights, adapters {found.adapter_parameters:,}. "
        f"Fresh adapters differ by {found.fresh_adapter_max_difference:g}, detached ones by "
        f"{found.detached_max_difference:g}; updates have a cosine with f of at most "
        f"{found.update_max_cosine:.1e} and a norm of at least {found.update_min_norm:.1e}."
    )
    output.result(asdict(found), text)
