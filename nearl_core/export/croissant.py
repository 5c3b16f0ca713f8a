"""Croissant 1.1: decisions.csv and pictures, described as JSON-LD.

Source: the Croissant format specification 1.1 (docs.mlcommons.org/croissant), sections on
resources and record sets.
"""

import json
from pathlib import Path
from typing import Any, Final

from nearl_core.export import csv
from nearl_core.export.columns import Column
from nearl_core.export.content import Content, Record
from nearl_core.store.hashes import file_sha256

FILE: Final = "croissant.json"
_VERSION: Final = "http://mlcommons.org/croissant/1.1"
_FILES: Final = "picture-files"
_KINDS: Final = {
    "patient_known": "sc:Boolean",
    "source": "sc:Boolean",
    "flagged": "sc:Boolean",
    "frames": "sc:Integer",
    "frame": "sc:Integer",
    "suggestion_probability": "sc:Float",
}
_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "cr:dataBiases",
    "dataCollection": "cr:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "excludes": "cr:excludes",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "cr:personalSensitiveInformation",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def write(content: Content) -> None:
    """Write the table and its description."""
    csv.write(content)
    table = content.folder / csv.FILE
    body = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": "labelled-data-set",
        "description": "A labelled data set, exported by NEARL Desk; README.md is its data card.",
        "conformsTo": _VERSION,
        "version": "1.0.0",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "decisions",
                "name": "decisions",
                "contentUrl": csv.FILE,
                "encodingFormat": "text/csv",
                "sha256": file_sha256(table),
            },
            {
                "@type": "cr:FileSet",
                "@id": _FILES,
                "name": _FILES,
                "encodingFormat": "image/png",
                "includes": "images/*/*.png",
            },
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "scans",
                "name": "scans",
                "description": "One word on each scan; several labels stand with ; between.",
                "key": {"@id": "scans/scan"},
                "field": [_field(column) for column in content.columns],
            },
            {
                "@type": "cr:RecordSet",
                "@id": "pictures",
                "name": "pictures",
                "description": "The pictures themselves, by the name that scans give them.",
                "key": {"@id": "pictures/image"},
                "field": [
                    _of_file("image", "sc:Text", "fullpath"),
                    _of_file("content", "sc:ImageObject", "content"),
                ],
            },
        ],
    }
    text = json.dumps(body, ensure_ascii=False, indent=1)
    (content.folder / FILE).write_text(text + "\n", encoding="utf-8", newline="\n")


def _field(column: Column) -> dict[str, Any]:
    leads = {"references": {"field": {"@id": "pictures/image"}}} if column.name == "image" else {}
    return {
        **leads,
        "@type": "cr:Field",
        "@id": f"scans/{column.name}",
        "name": column.name,
        "description": column.meaning,
        "dataType": _KINDS.get(column.name, "sc:Text"),
        "source": {"fileObject": {"@id": "decisions"}, "extract": {"column": column.name}},
    }


def _of_file(name: str, kind: str, what: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"pictures/{name}",
        "name": name,
        "dataType": kind,
        "source": {"fileSet": {"@id": _FILES}, "extract": {"fileProperty": what}},
    }


def read(folder: Path) -> list[Record]:
    """The rows of the table that the description leads to, for verification."""
    body = json.loads((folder / FILE).read_text(encoding="utf-8"))
    table = body["distribution"][0]
    if file_sha256(folder / table["contentUrl"]) != table["sha256"]:
        raise ValueError("the table is not the one that is described")
    return csv.read(folder)
