"""The composition of transformation, source and mapping, for K programs at once."""

import torch
from torch import nn
from torch.utils._pytree import tree_leaves, tree_map


class Reprogrammed(nn.Module):
    """K programs around one frozen source.

    The tensors of the K programs are stacked along a leading axis. The source hangs outside the
    module tree: it is in no ``parameters()``, ``state_dict()`` or ``train()``.

    Parameters
    ----------
    network : FrozenNetwork, SeveralNetworks or None
        The loaded source; None when the data already are what the source gives.
    space : InputSpace, or tuple of them
        What the source takes, or each of several.
    transformation : InputTransformation
        Input side.
    mapping : OutputMapping
        Output side.
    programs : list of (dict, dict) or (dict, dict, dict)
        Tensors of each program: input side, output side, and those that stand in the place of the
        source's own.
    """

    def __init__(self, network, space, transformation, mapping, programs):
        super().__init__()
        self.space = space
        self.transformation = transformation
        self.mapping = mapping
        self.n_programs = len(programs)
        inputs, outputs, *tuned = zip(*programs, strict=True)
        self.theta, self.input_constants = _parted(inputs, transformation.trainable)
        self.omega, self.output_constants = _parted(outputs, mapping.trainable)
        tuned = tuned[0] if tuned else [{}]
        # a module's own dictionaries take no names with dots
        self.tuned_names = tuple(tuned[0])
        self.tuned = nn.ParameterList(
            _stacked([own[name] for own in tuned]) for name in self.tuned_names
        )
        if network is not None and self.tuned_names:
            network = network.in_own_structure()
        object.__setattr__(self, "network", network)

    def input_params(self):
        """Tensors of the input side, each with the leading program axis."""
        return {**self.theta, **self.input_constants}

    def output_params(self):
        """Tensors of the output side, each with the leading program axis."""
        return {**self.omega, **self.output_constants}

    def given(self, X, input_params=None):
        """What the source gives for a batch.

        Parameters
        ----------
        X : torch.Tensor of shape (K, n, *data_shape)
            One batch a program.
        input_params : dict or None, default=None
            Tensors to use instead of the model's own, for example with dropout.

        Returns
        -------
        given : torch.Tensor of shape (K, n, n_outputs), or tuple of tuple of torch.Tensor
            Logits; or, where the mapping reads features, for each view its stages of shape
            (K, n, channels, ...).
        """
        if self.network is None:
            return X
        params = self.input_params() if input_params is None else input_params
        spans = None
        if self.network.shares_frames:
            spans = self.transformation.own_spans(X.shape[2:], self.space)
        if spans is None:
            views, alike = self._inputs(params, X), None
        else:
            # the gradient flows through one row, because inside the spans nothing trains
            (common,) = self._inputs(params, X[:, :1])
            alike = common.flatten(0, 1), spans
            with torch.no_grad():
                views = self._inputs(params, X)
        return self.read(views, alike)

    def read(self, views, alike=None):
        """What the source gives for source inputs.

        Parameters
        ----------
        views : tuple of torch.Tensor, each of shape (K, n, *input_shape)
            Views of the samples. Of several sources one list, with a tuple of views for each.
        alike : tuple or None, default=None
            What rows share; see ``FrozenNetwork.raw_outputs``.

        Returns
        -------
        given : torch.Tensor of shape (K, n, n_outputs), or tuple of tuple of torch.Tensor
            As in `given`.
        """
        if self.mapping.reads == "features":
            each = tuple(self._rowwise(view, "features", alike) for view in views)
            # of several sources the one entry has the views of all
            return each[0] if isinstance(views[0], list) else each
        logits = [self._rowwise(view, "outputs", alike) for view in views]
        if len(logits) == 1:
            return logits[0]
        return torch.stack([scores.log_softmax(-1) for scores in logits]).mean(0)

    def candidate_inputs(self, sides, X):
        """Source inputs of one batch under several programs.

        Parameters
        ----------
        sides : dict of str to torch.Tensor
            What trains of the input side, with a leading axis of P candidates.
        X : torch.Tensor of shape (n, *data_shape)
            One batch for all of them: what depends on it alone is computed once.

        Returns
        -------
        views : tuple of torch.Tensor, each of shape (P, n, *input_shape)
        """
        constants = {name: tensor[0] for name, tensor in self.input_constants.items()}

        def inputs(side):
            return self.transformation.apply({**constants, **side}, X, self.space)

        views = torch.func.vmap(inputs)(sides)
        return views if isinstance(views, tuple) else (views,)

    def candidate_scores(self, given):
        """Class scores of shape (P, n, n_classes) under the one output side of this model."""
        params = {name: tensor[0] for name, tensor in self.output_params().items()}
        n_candidates, n_rows = tree_leaves(given)[0].shape[:2]
        rows = tree_map(lambda tensor: tensor.flatten(0, 1), given)
        return self.mapping.apply(params, rows).unflatten(0, (n_candidates, n_rows))

    def scores(self, given):
        """Class scores of shape (K, n, n_classes) from what the source gives."""
        params = self.output_params()
        if self.mapping.vectorises:
            return self._over_programs(self.mapping.apply, params, given)
        each = [tree_map(lambda t, k=k: t[k], (params, given)) for k in range(self.n_programs)]
        return torch.stack([self.mapping.apply(*own) for own in each])

    def forward(self, X):
        """Class scores of shape (K, n, n_classes)."""
        return self.scores(self.given(X))

    def _inputs(self, params, X):
        """Source inputs of every view, each of shape (K, n, *input_shape)."""
        inputs = self._over_programs(
            lambda p, x: self.transformation.apply(p, x, self.space), params, X
        )
        return inputs if isinstance(inputs, tuple) else (inputs,)

    def _rowwise(self, view, what, alike):
        """Run all programs' rows through the source: in one pass, where it is one source."""
        if self.tuned_names:
            each = [
                self._through_own(k, tree_map(lambda rows, k=k: rows[k], view), what, alike)
                for k in range(self.n_programs)
            ]
            return tree_map(lambda *tensors: torch.stack(tensors), *each)
        n_programs, n_rows = tree_leaves(view)[0].shape[:2]
        # of several sources it is a list
        rows = tree_map(lambda tensor: tensor.flatten(0, 1), view)
        answer = getattr(self.network, what)(rows, alike)
        return tree_map(lambda tensor: tensor.unflatten(0, (n_programs, n_rows)), answer)

    def _through_own(self, k, rows, what, alike):
        """Run the rows of program k through the source with the program's own tensors."""
        pairs = zip(self.tuned_names, self.tuned, strict=True)
        network = self.network.exchange({name: tensor[k] for name, tensor in pairs})
        if alike is not None:
            alike = alike[0][k : k + 1], alike[1]
        return getattr(network, what)(rows, alike)

    def _over_programs(self, function, params, batch):
        if self.n_programs == 1:
            first = tree_map(lambda tensor: tensor[0], (dict(params), batch))
            return tree_map(lambda tensor: tensor.unsqueeze(0), function(*first))
        return torch.func.vmap(function)(dict(params), batch)

    def rows(self, k):
        """Detached copies of program k's tensors: input side, output side, the source's own."""
        tuned = dict(zip(self.tuned_names, self.tuned, strict=True))
        return tuple(
            {name: tensor[k].detach().clone() for name, tensor in side.items()}
            for side in (self.input_params(), self.output_params(), tuned)
        )

    def to_device(self, device):
        """Move the programs; the source is loaded where it runs."""
        self.to(device)
        for constants in (self.input_constants, self.output_constants):
            for name, tensor in constants.items():
                constants[name] = tensor.to(device)
        return self


def _stacked(tensors):
    # kernels of 1 x 1 may have any strides, and by these convolutions round
    return torch.stack(tensors).clone(memory_format=torch.contiguous_format)


def _parted(sides, trainable):
    """Stack each tensor over the programs; part those that train from the constants."""
    stacked = {name: torch.stack([side[name] for side in sides]) for name in sides[0]}
    moving = {name: nn.Parameter(stacked.pop(name)) for name in trainable if name in stacked}
    return nn.ParameterDict(moving), stacked
