"""The command line: parses, calls the flow, shows progress. No logic.

Commands stand in `ablate/commands/`; their imports wait until one is called, so that `--help`
answers at once.
"""

from __future__ import annotations

from ablate.__main__ import DISTRIBUTION, refuse_strangers

if __name__ == "__main__":
    refuse_strangers()  # before any other import: it might be theirs

import click

from ablate.commands import catalogue, foresight, imports, numbers, planning, study
from ablate.commands.shared import Commands
from ablate.commands.upkeep import doctor, standing


def show_version(ctx: click.Context, _option: object, wanted: bool) -> None:
    """Print the installed version, or that there is none."""
    if wanted:
        from ablate.records.provenance import version_of

        click.echo(f"{DISTRIBUTION} {version_of(DISTRIBUTION)}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Ablation studies with verdicts: does a component of an incremental meta-learner matter?

    SUITE is a YAML file, or the name of a shipped suite such as `update_rule`.
    """


for command in (
    study.demo,
    planning.init,
    study.run,
    standing.status,
    doctor.doctor,
    planning.plan,
    foresight.power,
    planning.tune,
    study.report,
    study.verify,
    numbers.compare,
    numbers.gate,
    imports.import_,
    foresight.calibrate,
    catalogue.list_,
    catalogue.show,
    catalogue.schema,
    catalogue.bench,
):
    main.add_command(command)

if __name__ == "__main__":
    main()
