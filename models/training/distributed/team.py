"""What processes that train one network together tell each other, and how the end of one shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn

from models.base.arrays import Rows
from models.base.errors import ModelError
from models.training.distributed.processes import MicroBatch, Processes, parts_of

# As long as the others wait while the first opens the data or fits a linear start.
PATIENCE = timedelta(hours=1)
NOTE = "thingsviz/fault"
# of torch's own sentences when the other end of a connection is gone (gloo, NCCL, the store)
LOST = (
    *("Connection closed", "Connection reset", "Broken pipe", "Connection refused"),
    *("recvValue failed", "sendBytes failed", "Timed out waiting", "NCCL error", "wait timeout"),
)


class Team:
    """The processes of a training; alone (the default) nothing is sent and nothing is copied.

    All of them call the same methods in the same order. What goes between them are numbers and
    JSON, never pickles: whoever reaches the port could send one.
    """

    def __init__(self, here: Processes | None = None) -> None:
        self.here = here or Processes()
        self.part = MicroBatch(0, slice(0), slice(0), slice(0))

    @property
    def alone(self) -> bool:
        """Whether there are no others."""
        return self.here.size == 1

    def parts(self, n: int, size: int | None) -> list[MicroBatch]:
        """Cut a batch into what this process computes, a part at a time."""
        return parts_of(n, size, self.here)

    def any(self, flag: bool) -> bool:
        """Whether it is so in any process."""
        return flag if self.alone else bool(self.sum(torch.tensor(float(flag))))

    def sum(self, value: Tensor) -> Tensor:
        """Add up a tensor over the processes, on the CPU, where the end of one shows at once."""
        if self.alone:
            return value
        total = value.detach().cpu().clone()
        distributed.all_reduce(total)
        return total

    def gather(self, rows: Rows, n_targets: int, compute: Callable[[Rows], Tensor]) -> Tensor:
        """Outputs (len(rows), n_targets) of which each process computes those of some rows."""
        if self.alone:
            return compute(rows)
        mine, whole = self.parts(len(rows), None)[0].mine, torch.zeros(len(rows), n_targets)
        if len(rows[mine]):
            whole[mine] = compute(rows[mine])
        return self.sum(whole)

    def as_first(self, values: dict[str, float]) -> dict[str, float]:
        """Return the first process's numbers: decisions on them must not differ by a rounding."""
        if self.alone:
            return values
        sent = torch.tensor(list(values.values()), dtype=torch.float64)
        distributed.broadcast(sent, 0)
        return dict(zip(values, sent.tolist(), strict=True))

    def spread(self, module: nn.Module) -> None:
        """Give every process the first one's weights and buffers."""
        if not self.alone:
            for tensor in module.state_dict().values():
                distributed.broadcast(tensor, 0)

    def check_same(self, number: int, what: str) -> None:
        """Refuse to go on where processes do not agree on a number."""
        if self.alone:
            return
        ends = torch.tensor([number, -number])
        distributed.all_reduce(ends, distributed.ReduceOp.MAX)
        if int(ends[0]) != -int(ends[1]):
            msg = (
                f"the processes of this training do not see the same {what}: jobs and data must "
                "lie in folders that all machines see"
            )
            raise ModelError(msg)

    def tell(self, word: dict[str, str]) -> dict[str, str]:
        """Send a few words from the first process to the others; all return them."""
        text = json.dumps(word).encode() if self.here.leads else b""
        size = torch.tensor(len(text))
        distributed.broadcast(size, 0)
        sent = torch.zeros(int(size), dtype=torch.uint8)
        sent[: len(text)] = torch.tensor(list(text), dtype=torch.uint8)
        distributed.broadcast(sent, 0)
        found: dict[str, str] = json.loads(sent.numpy().tobytes())
        return found

    def leave_note(self, sentence: str) -> None:
        """Leave behind why this process ends: the others will find their connection closed."""
        if not self.alone and distributed.is_initialized():
            _store().set(NOTE, f"{self.here}: {sentence}")

    def explain(self, error: Exception) -> ModelError | None:
        """Turn the closed connection of a process that has ended into one sentence."""
        words = str(error)
        if self.alone or isinstance(error, ModelError) or not any(w in words for w in LOST):
            return None
        try:
            note = _store().get(NOTE).decode() if _store().check([NOTE]) else ""
        except RuntimeError:
            note = ""
        return ModelError(
            note
            or f"another of the {self.here.size} processes ended without a word (killed, or its "
            "machine is gone): start it again, and it goes on from its last saved state"
        )

    def part_ways(self) -> None:
        """Close the connections; from here on each process is for itself."""
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _store() -> Any:  # noqa: ANN401
    return distributed.distributed_c10d._get_default_store()
