"""A hub of models in this process, behind the hub client's own HTTP seam."""

import hashlib
import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import huggingface_hub
from huggingface_hub.errors import HfHubHTTPError

COMMIT = "a" * 40
LARGE = 4096
"""Files from this size on are kept as large files, with a SHA-256."""
http: Any = importlib.import_module(HfHubHTTPError.__bases__[0].__module__.split(".")[0])
"""The HTTP library of this version of the hub's client."""


@dataclass
class FakeHub:
    """Answers as the hub does, and can break on the way.

    Attributes:
        files: What the one repository holds.
        breaks_after: The next answers with a file end after so many bytes, each once.
        lies: What is sent in place of a file.
        ignores_range: Sends a file from its start whatever is asked.
        asked: Path and range of each request for a file.
        headers: Of each request.
    """

    files: dict[str, bytes]
    breaks_after: list[int] = field(default_factory=list)
    lies: dict[str, bytes] = field(default_factory=dict)
    ignores_range: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def install(self) -> None:
        """Stand in place of the network until `remove`."""
        huggingface_hub.set_client_factory(
            lambda: http.Client(transport=http.MockTransport(self.answer))
        )

    @staticmethod
    def remove() -> None:
        huggingface_hub.set_client_factory(
            importlib.import_module("huggingface_hub.utils._http").default_client_factory
        )

    def answer(self, request: Any) -> Any:
        self.headers.append(dict(request.headers))
        if request.url.path.startswith("/api/models/"):
            repository = request.url.path.removeprefix("/api/models/")
            siblings = [_listed(name, content) for name, content in self.files.items()]
            return http.Response(200, json={"id": repository, "sha": COMMIT, "siblings": siblings})
        name = request.url.path.rpartition("/")[2]
        asked = request.headers.get("range", "")
        self.asked.append((request.url.path, asked))
        if name not in self.files:
            return http.Response(404)
        content = self.lies.get(name, self.files[name])
        start = 0
        if asked and not self.ignores_range:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        return http.Response(206 if start else 200, content=self._sent(content[start:]))

    def _sent(self, content: bytes) -> Iterator[bytes]:
        end = self.breaks_after.pop(0) if len(content) >= LARGE and self.breaks_after else None
        yield content[:end]
        if end is not None:
            raise http.ReadError("the line broke")


def _listed(name: str, content: bytes) -> dict[str, Any]:
    git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    listed: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": git}
    if len(content) >= LARGE:
        sha256 = hashlib.sha256(content).hexdigest()
        listed["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 130}
    return json.loads(json.dumps(listed))  # type: ignore[no-any-return]
