"""Settings of the site: `make site` builds it from the whole clone into build/site.

The source folder of Sphinx is the clone itself, so that the links between README, notebooks and other pages are the
same on the site as in the repository. `pages.py` beside this file fills in what comes from the package's data.
"""

import importlib
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from pages import linkcode_resolve, setup  # noqa: F401 (Sphinx looks for both here)

project = "lfdtcmen"
author = "The lfdtcmen authors"
html_title = "LFD-TCMEN"
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.linkcode",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_copybutton",
]
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "docs/api/*.rst", "notebooks/[0-9]*.ipynb", "*/README.md"]
exclude_patterns = [".*", "build", "runs", "data/[!R]*", "lfdtcmen", "tests", "benchmarks"]
templates_path = [str(Path(__file__).parent / "_templates")]  # autosummary would look in the source folder

# Notebooks are shown as they were committed; nothing is executed here.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4

autosummary_generate = True
autodoc_default_options = {"members": True, "ignore-module-all": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_use_type_comments = False  # there are none, and looking for them takes seconds
numpydoc_show_class_members = False

# A name of ours that leads nowhere is a warning, and a warning fails the build; other projects' names cannot be looked
# up without network.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!lfdtcmen\.).*")]

# One file with all of MathJax and its glyphs, from a package: no network, no web fonts.
_mathjax = Path(importlib.import_module("sphinx-mathjax-offline").__file__).parent / "static/mathjax/tex-svg-full.js"
mathjax_path = _mathjax.name

html_theme = "sphinx_book_theme"
html_static_path = ["_static", str(_mathjax)]
html_favicon = "_static/favicon.svg"
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_theme_options = {"collapse_navbar": True, "max_navbar_depth": 2, "navbar_persistent": []}
# once pyproject.toml states where the repository is, each notebook has buttons that open it elsewhere
_stated = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
if _address := _stated.get("urls", {}).get("Repository"):
    _services = {"binderhub_url": "https://mybinder.org", "colab_url": "https://colab.research.google.com"}
    html_theme_options |= {"repository_url": _address, "repository_branch": "main", "launch_buttons": _services}
html_sidebars = {"source/**": []}
html_context = {"default_mode": "auto"}
html_show_copyright = False
html_use_index = html_domain_indices = False  # the search finds names
