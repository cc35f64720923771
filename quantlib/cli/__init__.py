"""The verbs of Bitlens without a browser: `bitlens VERB`, one file per verb."""

import argparse
import math
import os
import sys
from collections.abc import Sequence
from typing import Any

from quantlib import __version__
from quantlib.cli import console
from quantlib.cli.verbs import verbs
from quantlib.errors import QuantlibError

DESCRIPTION = "See on a real network and a real picture what every bit of an activation buys."


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):  # type: ignore[override]
        raise QuantlibError(f"{message[:1].upper()}{message[1:]}; see {self.prog} --help.")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Help, where argparse would pass over what keeps it from being written."""
        console.write_line(message.removesuffix("\n"))


def program() -> str:
    """What a person typed before the verb."""
    called = os.path.basename(sys.argv[0])
    return "bitlens" if called in ("bitlens", "bitlens.exe") else "python -m quantlib"


def parser(name: str) -> argparse.ArgumentParser:
    """What the verb `name` takes; a QuantlibError where there is none, with the nearest one."""
    known = verbs()
    if name not in known:
        import difflib

        (nearest,) = difflib.get_close_matches(name, known, 1, 0)
        raise QuantlibError(
            f"There is no verb {name!r}; did you mean {nearest!r}? See {program()} --help."
        )
    verb, called = known[name], f"{program()} {name}"
    examples = "\n".join(
        ["examples:", *(f"  {called} {words}".rstrip() for words in verb.examples)]
    )
    made = _Parser(
        prog=called,
        description=verb.summary,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.code().add_arguments(made)
    made.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return made


def _root() -> argparse.ArgumentParser:
    """What stands where no verb does."""
    prog = program()
    width = max(map(len, verbs()))
    table = [f"  {name:{width}}  {verb.summary}" for name, verb in verbs().items()]
    more = f"{prog} VERB --help says what a verb takes."
    made = _Parser(
        prog=prog,
        usage=f"{prog} [--help] [--version] VERB ...",
        description=DESCRIPTION,
        epilog="\n".join(["verbs:", *table, "", *_examples(), "", more]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"bitlens {__version__}")
    return made


def _examples() -> list[str]:
    known = verbs()
    shown = [f"  {program()} {name} {known[name].examples[0]}" for name in ("upscale", "evaluate")]
    return ["examples:", *shown]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; 0, or 2 with one line on standard error for a mistake a person can mend.

    1 where a verb measured that something required is missed.
    """
    console.prepare()
    try:
        status = _run(list(sys.argv[1:] if arguments is None else arguments))
        console.finish()
    except BrokenPipeError:  # whoever reads has read enough
        console.silence()
        return 141
    except QuantlibError as error:
        console.remark(f"{program().split()[-1]}: {error}")
        return 2
    except KeyboardInterrupt:
        console.remark(f"{program().split()[-1]}: stopped.")
        return 130
    return status


def _run(given: list[str]) -> int:
    console.require_output()
    if not given:
        more = f"{program()} --help lists the verbs."
        console.write_line("\n".join([DESCRIPTION, "", *_examples(), "", more]))
        return 0
    name, *words = given
    if name.startswith("-"):
        _parsed(_root(), given)
        raise QuantlibError(f"Say what to do; {program()} --help lists the verbs.")
    options = _parsed(parser(name), words)
    code = verbs()[name].code()
    with console.quiet():
        report = code.run(options)
    said = _json(report) if options.json else code.describe(report)
    if said is not None:
        console.write_line(said)
    return code.status(report) if hasattr(code, "status") else 0


def _parsed(made: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    try:
        return made.parse_args(words)
    except SystemExit:  # help was printed, and goes out while a failure can still be told
        console.finish()
        raise


def _json(report: Any) -> str:
    import json

    return json.dumps(_strict(report))


def _strict(report: Any) -> Any:
    """`report` with null for NaN and infinity (PSNR of equal pictures): JSON has neither."""
    if isinstance(report, dict):
        return {name: _strict(value) for name, value in report.items()}
    if isinstance(report, list | tuple):
        return [_strict(value) for value in report]
    return None if isinstance(report, float) and not math.isfinite(report) else report
