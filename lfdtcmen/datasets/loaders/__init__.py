"""What the loaders of all data sets share: tables are read, frames are found, and rows become a manifest.

The loader of a data set (such as :mod:`lfdtcmen.datasets.smic`) is four steps::

    table = read_table(annotation)  # text in every cell; the index is the number of the row in the file
    table = select_columns(table, ("subject", "clip", "onset", "emotion"))  # these must be there; names as in FIELDS
    tree = Tree(root)  # folders and videos, found in any case of their names
    manifest, report = build_manifest(table, tree, locate, dataset="smic", label_map=label_map, fps=100)

Between them, plain pandas does to ``table`` what is special about the data set: it corrects cells and adds columns.
``locate(row)`` takes a row of that table as a named tuple and returns its folder or video (see
:meth:`~lfdtcmen.datasets.loaders.tree.Tree.below` and :meth:`~lfdtcmen.datasets.loaders.tree.Tree.search`), or raises
``DataError(reason)``: the row then goes to the report with that reason.
"""
