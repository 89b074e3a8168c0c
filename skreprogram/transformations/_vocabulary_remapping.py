"""Target tokens, in their context, as source tokens."""

import torch
from torch.nn import functional

from skreprogram._input_space import PADDING
from skreprogram.transformations._counted_noise import gumbel_noise
from skreprogram.transformations._parameters import check_choice
from skreprogram.transformations._remapping_checks import check_remapping, room_for_text
from skreprogram.transformations._target_tokens import (
    framed_tokens,
    framed_vectors,
    usable_tokens,
)
from skreprogram.transformations._text_positions import vectors_on
from skreprogram.transformations._tokens import TokenTransformation, kept_tokens


class VocabularyRemapping(TokenTransformation, name="vocabulary-remapping"):
    """Write every sample in tokens of the source: one convolution over the target tokens.

    A filter of some width runs over the one-hot target tokens and gives a score for every source
    token in every place [1]_; the one with the highest score stands there. So the source reads an
    ordinary text, and may be one that answers nothing but texts.

    In training by backpropagation the choice is relaxed: the source is shown mixtures of embeddings
    ``p E_S``, ``p = softmax((scores + Gumbel noise) / temperature)``, while the temperature falls.
    Validation and prediction always see the hard choice. Where the gradient comes from queries,
    :class:`skreprogram.gradients.ScoreFunction` draws tokens from ``softmax(scores)``.

    Parameters
    ----------
    width : int, default=5
        Tokens that a source token is chosen by, an odd number: the one in its place and as many
        on both sides.
    temperature : tuple of (float, float), default=(2.0, 0.01)
        In the first epoch, and after `anneal_epochs`; between them it falls by equal steps.
    anneal_epochs : int, default=15
        Epochs of this fall. Train for longer, or hard tokens are not what was trained.
    relaxation : {"gumbel", "straight-through", "softmax"}, default="gumbel"
        "straight-through" shows the source the token drawn, with the gradient of the mixture;
        "softmax" leaves the noise out.
    n_source_tokens : int or None, default=1000
        Source tokens to choose from, drawn at random without special ones; None takes all. The
        program has ``(width * n_tokens + 1)`` numbers for each.
    n_tokens : int or None, default=None
        Length of the table of target tokens; the estimator sets it.

    Notes
    -----
    The special tokens that the source's tokenizer puts around a text stay what and where they are,
    and so does padding, which the filter does not see. Samples that are too long lose their end.

    A source without embeddings that takes inputs of shape (length,), such as a black box, is given
    numbers of tokens, as floats: 0 is padding, and those to choose from are 1, 2, ...,
    `n_source_tokens`. Only the gradient of the score function can train for it.

    References
    ----------
    .. [1] P. Neekhara, S. Hussain, S. Dubnov, F. Koushanfar, "Adversarial Reprogramming of Text
       Classification Neural Networks", EMNLP 2019.

    Examples
    --------
    >>> import torch
    >>> from skreprogram._input_space import InputSpace, Vocabulary
    >>> from skreprogram.transformations import VocabularyRemapping
    >>> vocabulary = Vocabulary(torch.arange(6.0)[:, None], padding=0, start=1, end=2)
    >>> space = InputSpace((6, 2), flexible=True, vocabulary=vocabulary)
    >>> remapping, X = VocabularyRemapping(1), torch.tensor([[2, 3, 2]])
    >>> params = remapping.init(X, space, torch.Generator())
    >>> params["source_tokens"]
    tensor([3, 4, 5])
    >>> params["weight"][0, 2, 2] = params["weight"][0, 3, 0] = 9.0
    >>> remapping.apply(params, X, space)[..., 0]
    tensor([[1., 5., 3., 5., 2.]])
    """

    query_gradient = "score-function"
    trainable = ("weight", "bias")

    def __init__(
        self,
        width=5,
        temperature=(2.0, 0.01),
        anneal_epochs=15,
        relaxation="gumbel",
        n_source_tokens=1000,
        n_tokens=None,
    ):
        self.width = width
        self.temperature = temperature
        self.anneal_epochs = anneal_epochs
        self.relaxation = relaxation
        self.n_source_tokens = n_source_tokens
        self.n_tokens = n_tokens

    def init(self, X, space, generator):
        check_remapping(self, space)
        check_choice(self, "relaxation", ("gumbel", "straight-through", "softmax"))
        n_tokens = self.table_length(X)
        if space.vocabulary is None:
            tokens = torch.arange(1, self.n_source_tokens + 1)
        else:
            tokens = usable_tokens(self, space.vocabulary, generator)
        # that of torch's convolutions, which the authors' code begins with
        bound = (self.width * n_tokens) ** -0.5
        shape = self.width * n_tokens + 1, len(tokens)
        drawn = 2 * torch.rand(shape, generator=generator, dtype=torch.float32) - 1
        return {
            "weight": bound * drawn[:-1].unflatten(0, (self.width, n_tokens)),
            "bias": bound * drawn[-1],
            "source_tokens": tokens,
            "epochs": torch.zeros(1, dtype=torch.int64),
            # empty at rest; in a step of training it holds the seed of the step's noise
            "seed": torch.zeros(0, dtype=torch.int64),
        }

    def apply(self, params, X, space):
        X = X[:, : room_for_text(space)]
        scores = self._scores(params, X)
        if not params["seed"].numel():
            return self._shown(X, params["source_tokens"][scores.argmax(-1)], space)
        if space.vocabulary is None:
            raise ValueError(
                f"Got a source without embeddings for {type(self).__name__} with relaxed tokens, "
                "expected a source of text. Set gradient='score-function'."
            )
        embeddings = vectors_on(space.vocabulary.embeddings, X.device)[params["source_tokens"]]
        mixed = self._shares(scores, params) @ embeddings.to(scores.dtype)
        places = torch.arange(X.numel(), device=X.device).reshape(X.shape)
        return framed_vectors(X, places, mixed.flatten(0, 1), space)

    def disturb(self, params, generator):
        seed = torch.randint(2**31 - 1, (1,), generator=generator)
        return {**params, "seed": seed.to(params["seed"].device)}

    def renew(self, params, space):
        return {**params, "epochs": params["epochs"] + 1}

    def draw(self, params, X, space, n_draws, generator):
        """Draw hard tokens from ``softmax(scores)``, and say how likely each draw is.

        Parameters
        ----------
        params : dict of str to torch.Tensor
            One program's tensors.
        X : torch.Tensor of int of shape (n_samples, length)
            Numbers of target tokens.
        space : InputSpace
            What the source takes.
        n_draws : int
            Draws for each sample.
        generator : torch.Generator
            The only source of randomness.

        Returns
        -------
        inputs : torch.Tensor of shape (n_draws, n_samples, *input_shape)
            Source inputs.
        log_probs : torch.Tensor of shape (n_draws, n_samples)
            Sum of the logarithms over the places of a sample, with the graph of `params`.
        """
        X = X[:, : room_for_text(space)]
        scores = self._scores(params, X)
        seed = torch.randint(2**31 - 1, (1,), generator=generator).to(X.device)
        noise = gumbel_noise(seed, (n_draws, *scores.shape))
        drawn = (scores.detach() + noise).argmax(-1)
        log_shares = scores.log_softmax(-1).expand(n_draws, *scores.shape)
        log_probs = log_shares.gather(-1, drawn.unsqueeze(-1)).squeeze(-1)
        tokens = params["source_tokens"][drawn]
        rows = X.expand(n_draws, *X.shape).flatten(0, 1)
        inputs = self._shown(rows, tokens.flatten(0, 1), space)
        return inputs.unflatten(0, drawn.shape[:2]), (log_probs * (X != PADDING)).sum(-1)

    def _scores(self, params, X):
        """What every source token has in every place: (n_samples, length, n_source_tokens)."""
        weight, length = params["weight"], X.shape[1]
        # padding is no context
        weight = weight * (torch.arange(weight.shape[1], device=X.device) != PADDING)[:, None]
        padded = functional.pad(X, (self.width // 2, self.width // 2))
        parts = (weight[j][padded[:, j : j + length]] for j in range(self.width))
        return sum(parts, params["bias"])

    def _shares(self, scores, params):
        """What each source token has of the mixture in each place; sums are 1."""
        if self.relaxation != "softmax":
            scores = scores + gumbel_noise(params["seed"], tuple(scores.shape)).to(scores)
        shares = (scores / self._temperature(params)).softmax(-1)
        if self.relaxation == "straight-through":
            place = shares.argmax(-1, keepdim=True)
            hard = torch.zeros_like(shares).scatter(-1, place, 1.0)
            shares = hard + shares - shares.detach()
        return shares

    def _temperature(self, params):
        """That of the epoch; `renew` counts epochs from 1."""
        first, last = self.temperature
        past = ((params["epochs"] - 1) / self.anneal_epochs).clamp(0, 1)
        return first + (last - first) * past

    def _shown(self, X, tokens, space):
        """Source inputs of hard tokens."""
        if space.vocabulary is not None:
            return framed_tokens(X, tokens, space)
        numbers = kept_tokens(torch.where(X == PADDING, PADDING, tokens), space.size)
        return numbers.to(torch.get_default_dtype())
