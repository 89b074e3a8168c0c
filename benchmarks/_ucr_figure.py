"""The critical-difference diagram of the UCR benchmark."""

from pathlib import Path

import pandas as pd

from _ucr_statistics import mean_ranks, pairwise_p


def draw(accuracy, estimators, path):
    """Draw mean ranks on a line, and join by bars what a paired test does not part.

    A bar lies under estimators none of whose pairs differs at 5 % by Wilcoxon's signed-rank test
    with Holm's correction over all pairs.

    Parameters
    ----------
    accuracy : ndarray of shape (n_sets, n_estimators)
        Mean accuracies on data sets that all estimators have finished.
    estimators : sequence of str
        Their names, at least two.
    path : path-like
        File of the figure.

    References
    ----------
    .. [1] J. Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", Journal of
       Machine Learning Research, 2006.
    .. [2] A. Benavoli, G. Corani, F. Mangili, "Should We Really Use Post-Hoc Tests Based on
       Mean-Ranks?", Journal of Machine Learning Research, 2016.
    """
    from matplotlib.figure import Figure
    from scikit_posthocs import critical_difference_diagram

    names = list(estimators)
    ranks = pd.Series(mean_ranks(accuracy), index=names)
    p_values = pd.DataFrame(pairwise_p(accuracy), index=names, columns=names)
    figure = Figure((9, 1.6 + 0.3 * len(names)), layout="constrained")
    axis = figure.subplots()
    critical_difference_diagram(
        ranks,
        p_values,
        ax=axis,
        label_fmt_left="{label} ({rank:.2f}) ",
        label_fmt_right=" ({rank:.2f}) {label}",
        text_h_margin=0.1,
        color_palette=dict.fromkeys(names, "black"),
        elbow_props={"linewidth": 1},
        marker_props={"s": 15},
        crossbar_props={"linewidth": 4, "color": "C0"},
    )
    axis.set_title(
        f"Mean rank over {len(accuracy)} data sets, 1 is best.\nBars join what Wilcoxon's "
        "signed-rank test with Holm's correction does not part at 5 %",
        pad=12,
    )
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
