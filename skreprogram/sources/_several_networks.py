"""Several loaded source models: each runs its own inputs, and they answer side by side."""

import hashlib
import re

import torch


class SeveralNetworks:
    """Loaded networks in the place of one :class:`FrozenNetwork`.

    Inputs are lists of what each network is shown: a tuple of its views of the same rows. Tensors
    that a program changes have the number of their network before their name: ``"1/head.weight"``.

    Parameters
    ----------
    networks : iterable of FrozenNetwork
        The networks, on one device and in one precision.
    """

    # shared frames would have to be looked for in the views of one network alone
    shares_frames = False

    def __init__(self, networks):
        self.networks = tuple(networks)

    def with_precision(self, precision):
        """The same networks, each run in full or in mixed precision.

        Parameters
        ----------
        precision : {"full", "bf16"}
            See :class:`FrozenNetwork`.

        Returns
        -------
        networks : SeveralNetworks
        """
        return SeveralNetworks(network.with_precision(precision) for network in self.networks)

    @property
    def rows_at_once(self):
        """Rows of data for one pass."""
        return min(network.rows_at_once for network in self.networks)

    @property
    def runs_in_threads(self):
        """Whether several threads may have a batch each."""
        return all(network.runs_in_threads for network in self.networks)

    @property
    def is_training(self):
        """Whether any part is in training mode; it never should be."""
        return any(network.is_training for network in self.networks)

    def state_digest(self):
        """The sha256 of every parameter and buffer, to show that nothing moved."""
        digests = " ".join(network.state_digest() for network in self.networks)
        return hashlib.sha256(digests.encode()).hexdigest()

    def outputs(self, inputs, alike=None):
        """Logarithms of probabilities of all source labels, those of each network side by side.

        Every network gets a softmax of its own, over the mean of the logarithms of its views: one
        with larger logits, or with more labels, would otherwise speak for all. A softmax over the
        whole row is then the mean of the networks' probabilities.

        Parameters
        ----------
        inputs : list of tuple of torch.Tensor, each of shape (n, *input_shape)
            For each network its views.
        alike : None
            Rows share no frames here.

        Returns
        -------
        outputs : torch.Tensor of shape (n, n_outputs)
        """
        return torch.cat([log_probabilities(*pair) for pair in self._pairs(inputs)], 1)

    def features(self, inputs, alike=None):
        """Activations inside the networks: all views of the first one, then those of the next.

        Parameters
        ----------
        inputs : list of tuple of torch.Tensor, each of shape (n, *input_shape)
            For each network its views.
        alike : None
            Rows share no frames here.

        Returns
        -------
        stages : tuple of tuple of torch.Tensor, each of shape (n, channels, *positions)
            For each view the stages of its network.
        """
        pairs = self._pairs(inputs)
        return tuple(network.features(view) for network, views in pairs for view in views)

    def parameter_choices(self, choice):
        """Names of the parameters that a word or patterns mean, for each network apart.

        Parameters
        ----------
        choice : str or sequence of str
            "norm", "head", "last", "all", or a list of such words and of patterns. Those that begin
            with the number of a network, ``"1/norm"``, mean this one; others mean all networks
            that have such parameters.

        Returns
        -------
        choices : list of list of tuple of str
            For each network ways to understand it, the best one first.

        Raises
        ------
        ValueError
            Where a word or pattern means nothing in any of them.
        """
        listed = isinstance(choice, (list, tuple)) and all(isinstance(c, str) for c in choice)
        if not listed or not choice:
            return _numbered(self._understood(choice))
        own = [[] for _ in self.networks]
        for item in choice:
            for i, text in self._meant(item):
                own[i].append(text)
        pairs = zip(self.networks, own, strict=True)
        return _numbered([n.parameter_choices(items) if items else [] for n, items in pairs])

    def tensors(self, names):
        """Parameters by name, in full precision; they are shared and must not be written.

        Parameters
        ----------
        names : sequence of str
            Numbers of networks and names of their parameters.

        Returns
        -------
        tensors : dict of str to torch.Tensor
        """
        named = {}
        for name in names:
            i, _, own = name.partition("/")
            named[name] = self.networks[int(i)].tensors([own])[own]
        return named

    def in_own_structure(self):
        """The same networks, in which :meth:`exchange` changes what only the caller sees.

        Returns
        -------
        networks : SeveralNetworks
        """
        return SeveralNetworks(network.in_own_structure() for network in self.networks)

    def exchange(self, tensors):
        """Let tensors by name stand in the place of parameters; gradients flow into them."""
        own = [{} for _ in self.networks]
        for name, tensor in tensors.items():
            i, _, parameter = name.partition("/")
            own[int(i)][parameter] = tensor
        for network, changed in zip(self.networks, own, strict=True):
            network.exchange(changed)
        return self

    def _pairs(self, inputs):
        return zip(self.networks, inputs, strict=True)

    def _understood(self, choice):
        """Ways in which each network understands a choice; one of them has to."""
        found, errors = [], []
        for network in self.networks:
            try:
                found.append(network.parameter_choices(choice))
            except ValueError as error:
                found.append([])
                errors.append(error)
        if len(errors) == len(found):
            raise errors[0]
        return found

    def _meant(self, item):
        """Numbers of the networks that a word or pattern means, with what it is called there."""
        number = re.match(r"(\d+)/", item)
        if number is None:
            return [(i, item) for i, ways in enumerate(self._understood([item])) if ways]
        if int(number[1]) >= len(self.networks):
            raise ValueError(
                f"Got finetune with {item!r}, expected the number of a source before the stroke: "
                f"0 to {len(self.networks) - 1}."
            )
        return [(int(number[1]), item[number.end() :])]


def log_probabilities(network, views):
    """Logarithms of one network's probabilities, from the mean of those of its views.

    Parameters
    ----------
    network : FrozenNetwork
        The network.
    views : sequence of torch.Tensor, each of shape (n, *input_shape)
        Views of the same rows.

    Returns
    -------
    outputs : torch.Tensor of shape (n, n_outputs)
    """
    logits = [network.outputs(view).log_softmax(-1) for view in views]
    return torch.stack(logits).mean(0).log_softmax(-1)


def _numbered(choices):
    """The same with the number of the network before each name."""
    return [
        [tuple(f"{i}/{name}" for name in names) for names in ways] for i, ways in enumerate(choices)
    ]
