"""What learns: the network with its losses, optimiser and averaged weights, one batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from simlingo.contracts import InvalidInputError
from simlingo.model.network import SimLingoNetwork
from training.trainer.average import WeightAverage
from training.trainer.config import TrainConfig
from training.trainer.group import ALONE, Group
from training.trainer.losses import DrivingLosses, Mean, values_of
from training.trainer.sampler import Draw, generator
from training.trainer.schedule import learning_rate


class Learner:
    """Changes the weights of ``network`` by batches.

    Args:
        network: what learns; it is moved to the device.
        losses: what it is told.
        config: of the run.
        group: the processes that learn together, each from its share of a batch.
    """

    def __init__(
        self, network: SimLingoNetwork, losses: DrivingLosses, config: TrainConfig, group: Group = ALONE
    ) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network.to(self.device).train()
        self.losses = losses.to(self.device)
        self.average = WeightAverage(self.network, config.average.decay)
        self._config, self._group = config, group
        self.optimizer = torch.optim.AdamW(
            [*self.network.parameters(), *self.losses.parameters()],
            lr=1.0,  # each update sets it
            weight_decay=config.optimiser.weight_decay,
            betas=config.optimiser.betas,
            fused=True,
        )

    def state(self) -> dict[str, Any]:
        """Everything that the next update depends on; the tensors are those that learn, not copies."""
        return {
            "network": self.network.state_dict(),
            "losses": self.losses.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.weights,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to an earlier :meth:`state`.

        Raises:
            InvalidInputError: it is of another configuration.
        """
        try:
            self.network.load_state_dict(state["network"])
            self.losses.load_state_dict(state["losses"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise InvalidInputError(
                f"the run's checkpoint is of another configuration; choose another --run ({error})"
            ) from error
        self.average.weights = {name: value.to(self.device) for name, value in state["average"].items()}

    def update(self, batch: Mapping[str, Tensor], step: int, share: float) -> dict[str, float]:
        """Change the weights by one batch.

        Args:
            batch: this process's share, see :class:`training.trainer.losses.DrivingLosses`.
            step: updates before this one; decides the network's own random numbers.
            share: of the budget, see :func:`training.trainer.schedule.learning_rate`.

        Returns:
            The losses of the whole batch before the update, not weighted.
        """
        torch.manual_seed(int(generator(self._config.seed, step, Draw.NETWORK).integers(2**63)))
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(share, self._config.schedule)
        shares = self._shares(self.losses(self.network, self._on_device(batch)))
        self.optimizer.zero_grad(set_to_none=True)
        self.losses.total(shares).backward()  # type: ignore[no-untyped-call]
        losses = torch.stack([value.detach() for value in shares.values()])
        learning = (*self.network.parameters(), *self.losses.parameters())
        self._group.sum([losses, *(each.grad for each in learning if each.grad is not None)])
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self._config.optimiser.gradient_clip)
        self.optimizer.step()
        self.average.update(self.network, step + 1)
        return dict(zip(shares, losses.tolist(), strict=True))

    def _shares(self, losses: Mapping[str, tuple[Mean, ...]]) -> dict[str, Tensor]:
        """What this process's share adds to each loss of the whole batch."""
        means = [mean for each in losses.values() for mean in each]
        counts = torch.stack([mean.over for mean in means])
        self._group.sum([counts])
        whole = iter(counts.clamp_min(1.0))
        return {name: torch.stack([mean.total / next(whole) for mean in each]).sum() for name, each in losses.items()}

    @torch.no_grad()
    def validate(self, batches: Iterable[Mapping[str, Tensor]]) -> dict[str, float]:
        """Losses of the averaged weights, mean over samples of all processes; names begin with ``val_``.

        ``batches``: of this process.
        """
        names = list(self.losses.weights)
        sums, seen = torch.zeros(len(names), dtype=torch.float64), torch.zeros(len(names), dtype=torch.float64)
        with self.average.in_place_of(self.network):
            self.network.eval()
            for batch in batches:
                size = len(batch["path"])
                for name, value in values_of(self.losses(self.network, self._on_device(batch))).items():
                    seen[names.index(name)] += size
                    sums[names.index(name)] += float(value) * size
        self.network.train()
        self._group.sum([sums, seen])
        found = zip(names, sums.tolist(), seen.tolist(), strict=True)
        return {f"val_{name}": value / count for name, value, count in found if count}

    def _on_device(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}
