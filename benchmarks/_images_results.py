"""The results file of the images benchmark."""

from _results_file import ResultsFile

FIELDS = (
    "dataset",
    "configuration",
    "seed",
    "accuracy",
    "fit_seconds",
    "fit_cpu_seconds",
    "predict_seconds",
    "n_train",
    "n_test",
    "side",
    "max_epochs",
    "lr",
    "batch_size",
    "version",
    "machine",
)
RESULTS = ResultsFile(FIELDS, key=("dataset", "configuration", "seed"))
