"""fastai callbacks of a training by several processes: one network, each with its share of every batch."""

import torch
from fastai.callback.core import Callback
from fastai.learner import AvgLoss, AvgMetric
from fastai.metrics import AccumMetric

from ...system import World


class Together(Callback):
    """Lets processes train one network: gradients are averaged, BatchNorm's averages are those of the first process.

    fastai's own DistributedTrainer repeats rows to fill up batches, and needs CUDA. Here torch's
    DistributedDataParallel, made by accelerate for each fit, averages over processes, and each process's loss counts
    by how many of the batch's rows it has, so that the gradient is that of one process with the whole batch.

    Parameters
    ----------
    world : World
    """

    order = 70  # the last one: others build what they need of the network itself

    def __init__(self, world: World):
        super().__init__()
        self.world, self.bound = world, None

    def before_fit(self):
        from accelerate import Accelerator

        accelerator = Accelerator(cpu=self.dls.device.type == "cpu", mixed_precision="no")
        self.learn.model = accelerator.prepare_model(self.model)

    def after_loss(self):
        if self.training:
            loader, start = self.dls.train, self.iter * self.dls.train.bs
            counts = [min(loader.bs, len(loader.rows_of(rank)) - start) for rank in range(self.world.size)]
            self.learn.loss_grad = self.learn.loss_grad * (counts[self.world.rank] * self.world.size / sum(counts))

    def before_validate(self):
        """Every process validates its share of the rows by the network of the first one."""
        self.bound = self.model
        self.learn.model = bare_network(self.model)
        for buffer in self.model.buffers():
            torch.distributed.broadcast(buffer, 0)

    def after_validate(self):
        if self.bound is not None:  # a search for a rate leaves validation out
            self.learn.model, self.bound = self.bound, None

    def close(self):
        """Leave the network as it was; also after training that ended inside an epoch."""
        self.learn.model = bare_network(self.model)

    after_fit = close


class SharedScores(Callback):
    """Adds up what the processes' shares of the valid rows say, before fastai's Recorder notes it."""

    order = 49  # the Recorder's is 50

    def __init__(self, world: World):
        super().__init__()
        self.world = world

    def after_validate(self):
        for metric in self.recorder._valid_mets:
            if isinstance(metric, AccumMetric):
                shares = self.world.gathered((metric.preds, metric.targs))
                metric.preds, metric.targs = ([x for share in shares for x in share[part]] for part in (0, 1))
            elif isinstance(metric, AvgLoss | AvgMetric):
                metric.total, metric.count = self.world.total(float(metric.total), metric.count)


def bare_network(module: torch.nn.Module) -> torch.nn.Module:
    """The network that is trained, without what binds it to its copies in other processes."""
    from torch.nn.parallel import DistributedDataParallel

    return module.module if isinstance(module, DistributedDataParallel) else module
