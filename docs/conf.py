"""Configuration of Sphinx."""

import re
import warnings

from sphinx_gallery.sorting import ExplicitOrder

import skreprogram

project = "skreprogram"
author = copyright = "The skreprogram developers"
version = release = skreprogram.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "obj"

autosummary_generate = True
autodoc_default_options = {
    "members": True,
    "inherited-members": "BaseEstimator, ClassifierMixin, RegressorMixin, BaseClassifier, Module",
    "exclude-members": "get_metadata_routing, set_fit_request, "
    "set_partial_fit_request, set_score_request",
}
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": ExplicitOrder(
        [
            "plot_quickstart.py",
            "plot_grid_search.py",
            "plot_pipeline.py",
            "plot_saving_and_loading.py",
            "plot_from_series_to_sound.py",
            "plot_series_as_pictures.py",
            "plot_counting_squares.py",
            "plot_visual_prompts.py",
            "plot_label_mappings.py",
            "plot_input_and_output_layers.py",
            "plot_fraud.py",
            "plot_correlation_matrices.py",
            "plot_few_labelled_texts.py",
            "plot_antibodies.py",
            "plot_black_box.py",
            "plot_remote_model.py",
            "plot_regression.py",
            "plot_generator.py",
            "plot_automaton.py",
        ]
    ),
    "show_memory": False,
    "download_all_examples": False,
}
# progress bars and drawing warnings are no part of a page
warnings.filterwarnings("ignore", message=".*Agg.*cannot show.*")

html_theme = "pydata_sphinx_theme"
html_title = f"skreprogram {version}"
html_show_sourcelink = False
html_theme_options = {"show_prev_next": False, "secondary_sidebar_items": ["page-toc"]}


def escape_stars(app, what, name, obj, options, lines):
    """Keep docutils from reading ``(n_samples, *data_shape)`` as emphasis."""
    lines[:] = [
        re.sub(r"(?<=[ (])\*(?=\w)", r"\\*", line) if "shape" in line else line for line in lines
    ]


def setup(app):
    """Register what happens before numpydoc reads a docstring."""
    app.connect("autodoc-process-docstring", escape_stars, priority=400)
