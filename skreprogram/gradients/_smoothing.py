"""How far candidates lie from the program: pure functions, also for sources that round."""

import warnings


def first_smoothing(smoothing, default, program, directions, objective):
    """Choose the smoothing in the first step, so that it survives the rounding of inputs.

    A source of 8 bits does not see candidates that move no input by a level. "auto" doubles the
    default until those inputs that move do so by one level on average, or until the program's
    numbers move by 1 (root mean square), where tanh has left its straight part.

    Parameters
    ----------
    smoothing : float or "auto"
        A number is used as it is.
    default : float
        Where "auto" begins, and what it is where inputs are not rounded.
    program : torch.Tensor of shape (n_numbers,)
        The program as it is.
    directions : torch.Tensor of shape (n_directions, n_numbers)
        The directions of the first step.
    objective : Objective
        The first batch.

    Returns
    -------
    smoothing : float
        Candidates are ``program + smoothing * directions``.
    least : float
        Below this a decaying smoothing moves less than a level; 0 where that does not matter.

    Warns
    -----
    UserWarning
        Where inputs move by less than half a level, so that most answers would not change.
    """
    automatic = smoothing == "auto"
    smoothing = default if automatic else float(smoothing)
    levels = _levels(smoothing, program, directions, objective)
    if levels is None:
        return smoothing, 0.0
    most = float(directions.square().mean() ** -0.5)
    while automatic and levels < 1 and smoothing < most:
        smoothing = min(2 * smoothing, most)
        levels = _levels(smoothing, program, directions, objective)
    if levels < 0.5:
        way = "Let the program act more strongly" if automatic else "Set smoothing='auto'"
        warnings.warn(
            f"Got smoothing={smoothing:.3g}, which moves the source's inputs by {levels:.2g} "
            "quantisation levels on average, expected at least half a level: most answers will not "
            f"change. {way}.",
            stacklevel=3,
        )
    return smoothing, smoothing / max(levels, 1.0) if automatic else 0.0


def _levels(smoothing, program, directions, objective):
    levels = objective.levels_moved(program, program + smoothing * directions)
    # not a number: no input moves at all
    return None if levels is None else float(levels.mean().nan_to_num(0.0))
