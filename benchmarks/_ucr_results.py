"""The results file of the UCR benchmark."""

from _results_file import ResultsFile

FIELDS = (
    "dataset",
    "estimator",
    "seed",
    "accuracy",
    "fit_seconds",
    "predict_seconds",
    "n_train",
    "n_test",
    "length",
    "n_classes",
    "version",
    "machine",
    "log_loss",
    "calibration_error",
)
RESULTS = ResultsFile(FIELDS, key=("dataset", "estimator", "seed"))
