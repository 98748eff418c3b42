"""How an unfinished store remembers what is done, so that an interrupted build goes on."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from pydantic import TypeAdapter

from thingsviz.core.json_files import KEY, is_sound, loads_json, sealed
from thingsviz.data.prepare.read_run import FinishedPiece
from thingsviz.data.things.layout import Dataset

NAME = "journal.jsonl"
PIECE = TypeAdapter(FinishedPiece)


class Journal:
    """One line a finished piece, below a first line that says what is being built."""

    def __init__(self, folder: Path, signature: str) -> None:
        self.path = folder / NAME
        self._signature = signature

    def done(self, dataset: Dataset) -> dict[str, FinishedPiece]:
        """Return the finished pieces whose source is unchanged; a torn line is passed over."""
        lines = self._lines()
        if not lines or lines[0] != self._signature:
            return {}
        found: dict[str, FinishedPiece] = {}
        for line in lines[1:]:
            piece = _read(line)
            if piece is not None and _unchanged(dataset, piece):
                found[piece.key] = piece
        return found

    def start(self) -> None:
        """Begin anew, unless this very build was begun before."""
        lines = self._lines()
        if not lines or lines[0] != self._signature:
            shutil.rmtree(self.path.parent, ignore_errors=True)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._append(self._signature)

    def add(self, piece: FinishedPiece) -> None:
        """Note a finished piece, whose bytes are already on the disk."""
        self._append(json.dumps(sealed({"piece": PIECE.dump_python(piece, mode="json")})))

    def _append(self, line: str) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            # A line torn by a kill ends here, so that it cannot swallow the new one.
            torn = file.tell() > 0 and not self.path.read_bytes().endswith(b"\n")
            file.write("\n" * torn + line + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []


def _read(line: str) -> FinishedPiece | None:
    """Read a line; None for one that is torn or damaged: its piece is made again."""
    try:
        row = loads_json(line)
        return PIECE.validate_python(row["piece"]) if KEY in row and is_sound(row) else None
    except (ValueError, KeyError, TypeError):
        return None


def _unchanged(dataset: Dataset, piece: FinishedPiece) -> bool:
    source = piece.source
    if source is None:
        return True
    path = dataset.root / source.path
    if not path.is_file():
        return False
    stat = path.stat()
    return (stat.st_size, stat.st_mtime_ns) == (source.size, source.mtime_ns)
