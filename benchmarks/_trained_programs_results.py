"""The results file and the table of the benchmark of trained programs."""


from _results_file import ResultsFile

FIELDS = (
    "dataset",
    "type",
    "configuration",
    "seed",
    "accuracy",
    "log_loss",
    "gain",
    "gain_error",
    "held_out",
    "epochs",
    "fit_seconds",
    "predict_seconds",
    "n_train",
    "n_test",
    "version",
    "machine",
)
RESULTS = ResultsFile(FIELDS, key=("dataset", "configuration", "seed"))


def make_table(rows, configurations, command):
    return ""
