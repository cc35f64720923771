"""Trials carried out: one after the other or several at once, saved as they come."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from quantlib.ablation.groups import Group, carried, groups, unit_of
from quantlib.ablation.plan import AblationPlan, Trial
from quantlib.ablation.points import Results
from quantlib.files import check_writable, make_folder
from quantlib.sweeps.engines import Engine
from quantlib.sweeps.kept import Kept
from quantlib.sweeps.sweep import sweep

T = TypeVar("T")
Watch = Callable[[int, int, str], None]


def measure_all(
    plan: AblationPlan,
    folder: Path,
    file: Path,
    engine: Engine | None = None,
    watch: Watch = lambda done, total, name: None,
    only: Callable[[Trial], bool] = lambda trial: True,
    kept: Kept | None = None,
    remark: Callable[[str], None] = lambda note: None,
) -> Results:
    """Carry out what `file` lacks of the plan's trials and add it there, group by group.

    `folder` holds the data. The groups go to `engine`, one after the other where there is none;
    what is `kept` of them is not measured again. Points stand in the order of the plan, whoever is
    done first. Broken off at any moment, it goes on with what is missing. `remark` is told what
    goes wrong without stopping anything.
    """
    make_folder(file.parent)
    check_writable(file)
    results = Results.read(file)
    wanted = [trial for trial in plan.trials() if only(trial)]
    missing = [trial for trial in wanted if trial.key not in results.points]
    benches = {bench.name: bench for bench in plan.benches}
    units = {unit_of(one, benches[one[0].bench], folder): one for one in groups(missing)}
    watch(len(wanted) - len(missing), len(wanted), "")
    for unit, made in sweep([*units], engine, kept, remark):
        group = units[unit]
        points, orders = carried(made)
        results.points |= {t.key: p for t, p in zip(group, points, strict=True)}
        if orders:
            results.orders.setdefault(group[0].bench, {})[_line(group)] = orders
        results = _in_order(results, plan)
        results.write(file)
        done = sum(trial.key in results.points for trial in wanted)
        watch(done, len(wanted), unit.name)
    return results


def _in_order(results: Results, plan: AblationPlan) -> Results:
    """Points and orders as the plan names them; what it does not name stands before."""
    trials = plan.trials()
    lines: dict[str, dict[str, None]] = {}
    for group in groups(trials):
        lines.setdefault(group[0].bench, {})[_line(group)] = None
    orders = {
        bench: _sorted(results.orders[bench], lines.get(bench, {}))
        for bench in _sorted(results.orders, lines)
    }
    return Results(_sorted(results.points, dict.fromkeys(t.key for t in trials)), orders)


def _sorted(found: dict[str, T], names: Collection[str]) -> dict[str, T]:
    others = [name for name in found if name not in names]
    return {name: found[name] for name in (*others, *(n for n in names if n in found))}


def _line(group: Group) -> str:
    trial = group[0]
    return f"{trial.method} {trial.seed}" if trial.settings.criterion == "random" else trial.method
