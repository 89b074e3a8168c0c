"""The scale of an estimate, and with it the meaning of a learning rate."""

# the root mean square of an estimate from so many directions is within about a sixth of the mean
ENOUGH_DIRECTIONS = 20


def uncalibrated():
    """State in which nothing has been measured."""
    return {"n_measured": 0, "mean_square": 0.0}


def scaled(estimate, scale, state, n_directions):
    """Multiply an estimate by its scale.

    With "calibrated" the scale is one constant, the inverse root mean square of the estimates of
    the first steps: of one step, or of as many as it takes to have seen twenty directions, because
    a single direction may happen to be a flat one. With plain SGD the learning rate then is the
    root mean square change of the program's numbers in the first step, whatever the number of
    them and of the directions.

    Parameters
    ----------
    estimate : torch.Tensor of shape (n_numbers,)
        A gradient up to a factor.
    scale : float or "calibrated"
        The factor.
    state : dict
        Holds what `uncalibrated` returned; changed in place.
    n_directions : int
        Directions behind an estimate.

    Returns
    -------
    gradient : torch.Tensor of shape (n_numbers,)
    """
    if scale != "calibrated":
        return scale * estimate
    return estimate * calibration(estimate, state, n_directions)


def calibration(estimate, state, n_directions):
    """Measure an estimate as long as there is need, and return the constant; 1 before any."""
    if state["n_measured"] * n_directions < ENOUGH_DIRECTIONS:
        square = float(estimate.cpu().double().square().mean())
        # answers that did not change say nothing about the scale
        if 0 < square < float("inf"):
            state["n_measured"] += 1
            state["mean_square"] += (square - state["mean_square"]) / state["n_measured"]
    return state["mean_square"] ** -0.5 if state["mean_square"] else 1.0
