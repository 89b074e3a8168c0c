"""Run the training loop over a stack of programs."""

from skreprogram.training._batches import StackedBatches
from skreprogram.training._callbacks import BestPrograms
from skreprogram.training._net import ProgramNet, net_settings
from skreprogram.training._query_net import BestByTraining, QueryNet
from skreprogram.training._task import Program
from skreprogram.training._unlabelled_net import UnlabelledNet


def train_stack(tasks, model, generators, options):
    """Run skorch over the stack; return the programs at their best epochs."""
    device = next(model.parameters()).device
    train = StackedBatches(
        [task.train.to(device) for task in tasks], options.batch_size, generators
    )
    valid = None
    if options.patience is not None:
        valid = StackedBatches([task.valid.to(device) for task in tasks], options.batch_size)
    # behind the source, where all answers are at hand, nothing is estimated
    asks = options.asks_queries and model.network is not None
    best = BestByTraining(options.patience) if asks else BestPrograms(options.patience)
    settings = net_settings(model, train, valid, options, device, best)
    if asks:
        net = QueryNet(model, gradient=options.gradient, generators=generators, **settings)
    elif tasks[0].unlabelled is not None:
        more = {"unlabelled": options.unlabelled, "further": tasks[0].unlabelled.to(device)}
        net = UnlabelledNet(model, generators=generators, **more, **settings)
    else:
        net = ProgramNet(model, generators=generators, **settings)
    net.train_rows, net.valid_rows = train, valid
    net.fit(train, None)
    return [
        program_of(sides, history)
        for sides, history in zip(best.programs(net), best.histories_, strict=True)
    ]


def program_of(sides, history=()):
    """Turn tensors into the arrays that estimators keep."""
    inputs, outputs, *source = (
        {name: tensor.detach().cpu().numpy() for name, tensor in side.items()} for side in sides
    )
    return Program(inputs, outputs, list(history), *source)
