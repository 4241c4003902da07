"""Checkpoints by hub id: accepted, pinned, and from a server that speaks the hub's protocol."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed; ./simlingo test installs it")

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.hub import fetch, looks_like_hub_id

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {"config.json": b'{"a": 1}', ".hydra/config.yaml": b"model: {}", "run.py": b"print('never')"}


class Hub(BaseHTTPRequestHandler):
    """One repository, one commit."""

    def do_HEAD(self) -> None:
        """The metadata of a file."""
        self._file(body=False)

    def do_GET(self) -> None:
        """The tree, or a file."""
        if self.path.startswith(f"/api/models/lab/tiny/tree/{COMMIT}"):
            tree = [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in FILES.items()
            ]
            self._answer(json.dumps(tree).encode(), {"Content-Type": "application/json"})
        else:
            self._file(body=True)

    def _file(self, *, body: bool) -> None:
        data = FILES.get(self.path.removeprefix(f"/lab/tiny/resolve/{COMMIT}/"))
        if data is None:
            self.send_error(404)
            return
        headers = {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', "X-Repo-Commit": COMMIT}
        self._answer(data, headers, body=body)

    def _answer(self, data: bytes, headers: dict[str, str], *, body: bool = True) -> None:
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def fetched(tmp_path: Path, hub_id: str, commit: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Fetch in a process of its own: the library reads its settings when it is imported."""
    code = f"from simlingo.model.checkpoints.hub import fetch; print(fetch({hub_id!r}, {commit!r}, True))"
    home = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **home, **env}, capture_output=True, text=True, timeout=60
    )


@pytest.mark.medium
def test_a_pinned_commit_is_fetched_without_programs(tmp_path: Path, endpoint: str) -> None:
    result = fetched(tmp_path, "lab/tiny", COMMIT, HF_ENDPOINT=endpoint)
    assert result.returncode == 0, result.stderr
    folder = Path(result.stdout.splitlines()[-1])
    assert (folder / "config.json").read_bytes() == FILES["config.json"]
    assert (folder / ".hydra/config.yaml").is_file()
    assert not (folder / "run.py").exists()


@pytest.mark.medium
def test_a_machine_that_is_offline_says_so(tmp_path: Path) -> None:
    result = fetched(tmp_path, "lab/tiny", COMMIT, HF_HUB_OFFLINE="1")
    assert result.returncode != 0
    assert "could not be fetched" in result.stderr
    assert "check network, id and commit" in result.stderr


def test_the_licence_comes_first_and_then_a_commit() -> None:
    with pytest.raises(InvalidInputError, match=r"read it at .*lab/tiny, then add --accept-licence"):
        fetch("lab/tiny", COMMIT, accept_licence=False)
    for revision in ("", "main", COMMIT[:12]):
        with pytest.raises(InvalidInputError, match="--revision COMMIT"):
            fetch("lab/tiny", revision, accept_licence=True)


def test_what_could_be_a_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert looks_like_hub_id("OpenGVLab/InternVL2-1B")
    assert not looks_like_hub_id("models/a/b")
    assert not looks_like_hub_id("./models")
    (tmp_path / "models/tiny").mkdir(parents=True)
    assert not looks_like_hub_id("models/tiny")
