"""Controls in figures: the colour of what they control, hollow marks, dots for a line."""

# ends the name of a configuration around an untrained source
CONTROL = ", random weights"
COLOURS = (*(f"C{number}" for number in range(10)), "black", "gold")


def styles_of(configurations):
    """How the line of each configuration looks, as keywords of ``Axes.plot``.

    Parameters
    ----------
    configurations : sequence of str
        Names; of the same names in the same order come the same styles.

    Returns
    -------
    styles : dict of str to dict
        Colours run out after a dozen configurations that are no controls.
    """
    bases = dict.fromkeys(name.removesuffix(CONTROL) for name in configurations)
    colours = dict(zip(bases, COLOURS, strict=False))
    hollow = {"markerfacecolor": "white", "linestyle": ":"}
    return {
        name: {"color": colours[name.removesuffix(CONTROL)]}
        | (hollow if name.endswith(CONTROL) else {"linestyle": "-"})
        for name in configurations
    }
