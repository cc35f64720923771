"""Tables that are keyed by a method, a criterion or a task miss none."""

import pytest

from pages.parts.figures.charts import family_styles
from pages.parts.results.run_cards import SWITCHES_OF, TITLES
from quantlib.cli.options import PARAMETER_OPTIONS
from quantlib.cli.verbs import verbs
from quantlib.importance.criteria import ONE_PASS
from quantlib.models.architectures import trained
from quantlib.models.catalogue import every_bundled
from quantlib.ptq.criteria import CRITERIA, SEARCHED
from quantlib.ptq.methods import METHODS
from quantlib.ptq.parameters import PARAMETERS
from quantlib.ptq.settings import Settings
from quantlib.qat.scheme import LEARNED, POST_TRAINING
from quantlib.tasks.bench import Code
from quantlib.tasks.task import SUPER_RESOLUTION, TASKS
from quantlib.training.comparison import summary
from quantlib.training.comparison.post_trained import POST_TRAINED
from quantlib.training.recognition.judging import JUDGES
from quantlib.training.recognition.recipe import DATA_SETS


def test_every_method_takes_settings_that_there_are():
    assert PARAMETERS.keys() == Settings.__dataclass_fields__.keys() - {"method"}
    for entry in METHODS.values():
        assert set(entry.parameters) | set(entry.varied) <= PARAMETERS.keys(), entry.name


def test_every_kind_of_setting_has_its_option():
    assert {type(parameter) for parameter in PARAMETERS.values()} <= PARAMETER_OPTIONS.keys()


def test_every_line_of_the_memory_page_has_a_style():
    families = {v.family for entry in METHODS.values() for v in entry.variants if v.family}
    assert family_styles().keys() == families


def test_every_criterion_is_computed():
    assert CRITERIA.keys() == ONE_PASS.keys() | {SEARCHED, "random"}


def test_every_method_of_a_comparison_has_a_title():
    assert summary.TITLES.keys() == {*LEARNED, *POST_TRAINED, "fp32"}
    assert set(POST_TRAINING) < set(POST_TRAINED)


def test_every_switch_of_a_learned_method_stands_on_its_card():
    parts = {part.field: set() for method in LEARNED.values() for part in method.parts}
    for name, method in LEARNED.items():
        for part in method.parts:
            parts[part.field].add(name)
    assert parts == SWITCHES_OF
    assert parts.keys() <= TITLES.keys()


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_every_task_is_done(task):
    assert isinstance(task.code, Code)
    assert task.verb in verbs() and task.unit and task.measure and len(task.examples) == 2


def test_every_task_that_has_recipes_of_its_own_is_judged():
    assert all(trained(task) for task in TASKS)
    assert JUDGES.keys() == DATA_SETS.keys() == TASKS.keys() - {SUPER_RESOLUTION.name}


def test_every_bundled_network_has_a_task():
    assert {entry.task for entry in every_bundled()} <= TASKS.keys()
