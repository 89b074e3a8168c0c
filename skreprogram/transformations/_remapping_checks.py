"""What a remapping of vocabularies asks of its hyper-parameters and of the source."""

from numbers import Real

from skreprogram.transformations._parameters import check_whole
from skreprogram.transformations._target_tokens import check_source_of_text
from skreprogram.transformations._text_positions import given


def check_remapping(remapping, space):
    """Refuse what makes no sense, and sources that read no tokens.

    Parameters
    ----------
    remapping : VocabularyRemapping
        Its hyper-parameters.
    space : InputSpace
        What the source takes: embeddings, or numbers of tokens.
    """
    kind = type(remapping).__name__
    check_whole(remapping, "width")
    if not remapping.width % 2:
        raise ValueError(
            f"Got width={remapping.width!r} in {kind}, expected an odd number, so that as many "
            f"tokens stand on both sides. Use {remapping.width + 1}."
        )
    check_whole(remapping, "anneal_epochs")
    if remapping.n_source_tokens is not None:
        check_whole(remapping, "n_source_tokens", 2)
    _check_temperature(remapping, kind)
    if space.vocabulary is not None or len(space.shape) != 1:
        check_source_of_text(remapping, space)
    elif remapping.n_source_tokens is None:
        raise ValueError(
            f"Got n_source_tokens=None in {kind} for a source without a vocabulary, expected how "
            "many tokens it knows besides padding. Set n_source_tokens."
        )


def room_for_text(space):
    """Positions of a source that are left for a text."""
    if space.vocabulary is None:
        return space.size
    return space.shape[0] - len(given(space.vocabulary.start, space.vocabulary.end))


def _check_temperature(remapping, kind):
    pair = remapping.temperature
    numbers = isinstance(pair, (tuple, list)) and len(pair) == 2
    if not numbers or not all(isinstance(t, Real) and 0 < t < float("inf") for t in pair):
        raise ValueError(
            f"Got temperature={pair!r} in {kind}, expected two positive numbers: of the first "
            "epoch, and after anneal_epochs."
        )
