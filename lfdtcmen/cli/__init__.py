"""The command line: ``lfdtcmen run | data | train | evaluate | ablate | predict | doctor``.

Each command has a file of its own, and imports what it needs when it is called, so that ``--help`` and ``doctor``
answer at once.
"""

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from lfdtcmen.cli.ablate_command import ablate
from lfdtcmen.cli.data_command import data
from lfdtcmen.cli.doctor_command import doctor
from lfdtcmen.cli.evaluate_command import evaluate
from lfdtcmen.cli.predict_command import predict
from lfdtcmen.cli.prepare_command import prepare
from lfdtcmen.cli.run_command import run
from lfdtcmen.cli.train_command import train
from lfdtcmen.errors import DataError, cannot_write, in_one_line

SPIN_LIMIT = "3000"  # of GOMP_SPINCOUNT; :func:`main` says why. The Makefile has the same


class OneLineErrors(TyperGroup):
    """The commands, where a user's mistake is one line on stderr and exit code 2 instead of a traceback."""

    def main(self, *args: Any, **kwargs: Any) -> None:
        """Run the command of the arguments, and exit."""
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except DataError as error:
            typer.echo(f"lfdtcmen: {error}", err=True)
            code = 2
        except ImportError as error:  # a package that is missing or broken; an error of our own keeps its traceback
            if (error.name or "").startswith("lfdtcmen"):
                raise
            text = in_one_line(error)
            typer.echo(f"lfdtcmen: a package cannot be imported ({text}); `lfdtcmen doctor` says what to do", err=True)
            code = 2
        except typer.TyperException as error:  # an unknown command or option, a value of the wrong type
            typer.echo(f"lfdtcmen: {error.format_message()} (--help shows what there is)", err=True)
            code = 2
        except OSError as error:  # of a library's files, such as joblib's: our own writes raise DataError
            if (mistake := cannot_write(error)) is None:
                raise
            typer.echo(f"lfdtcmen: {mistake}", err=True)
            code = 2
        except typer.Abort:
            code = 1
        sys.exit(code)


app = typer.Typer(cls=OneLineErrors, add_completion=False, rich_markup_mode="markdown")


@app.callback(invoke_without_command=True)
def lfdtcmen(context: typer.Context) -> None:
    """LFD-TCMEN: learnable feature disentanglement for micro-expression recognition.

    Start with `lfdtcmen doctor`, then `lfdtcmen run`. Without `-p`, the profile is LFDTCMEN_PROFILE, else cpu.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command()(run)
data_app = typer.Typer(
    cls=OneLineErrors, rich_markup_mode="markdown", invoke_without_command=True, subcommand_metavar="[COMMAND]"
)
data_app.callback()(data)
data_app.command()(prepare)
app.add_typer(data_app, name="data")
for command in (train, evaluate, ablate, predict, doctor):
    app.command()(command)


def main() -> None:
    """Start the command line: the entry point of ``lfdtcmen`` and ``python -m lfdtcmen``.

    While torch's threads wait for each other, they keep their cores busy: on two cores, a second program makes training
    eight times as slow. With the shorter wait that is set here, training is then 2.3 times as slow, and a few per cent
    slower on a machine without other programs (benchmarks/busy.py). Torch reads the variable when it is imported; the
    kernels of ``run`` inherit it.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN_LIMIT)
    try:
        os.getcwd()
    except OSError:  # torch would abort the process
        typer.echo("lfdtcmen: the working directory no longer exists; change to a folder that does", err=True)
        sys.exit(2)
    app(prog_name="lfdtcmen")
