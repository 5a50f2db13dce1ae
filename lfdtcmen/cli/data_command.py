"""``lfdtcmen data``: make synthetic faces."""

import typer

from lfdtcmen.cli.options import Jobs, LabelMap, Preset, Profile, Seed, Settings, Subjects, build_config
from lfdtcmen.errors import DataError


def data(
    context: typer.Context,
    profile: Profile = None,
    preset: Preset = None,
    label_map: LabelMap = None,
    subjects: Subjects = None,
    seed: Seed = 0,
    settings: Settings = None,
    jobs: Jobs = -1,
) -> None:
    """Make and prepare the synthetic faces, and print their Table 1; `data prepare` reads a licensed set or your own.

    The faces are cached (LFDTCMEN_CACHE, else data/cache of a clone): notebooks, `train` and `evaluate` then start at
    once.

    **Examples**

    - `lfdtcmen data`: the set that the cpu profile uses

    - `lfdtcmen data --preset hard --label-map 7class --subjects 40`

    - `lfdtcmen data prepare casme3 --root data/casme3 --annotation data/casme3/labels.xlsx`
    """
    command = context.invoked_subcommand
    if command is not None:
        sources = {name: context.get_parameter_source(name) for name in context.params}
        given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
        if given:
            option = "set" if given[0] == "settings" else given[0].replace("_", "-")
            raise DataError(f"--{option} stands before {command}", fix=f"write it after {command}")
        return
    config = build_config(profile, settings, seed=seed, preset=preset, label_map=label_map, subjects=subjects)
    from lfdtcmen import experiments
    from lfdtcmen.datasets.manifest import table1

    pairs = experiments.load_pairs(config, n_jobs=jobs)
    typer.echo(table1(pairs.manifest, config.label_map).to_string())
