"""What a visitor may send over the socket."""

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from pages.parts.server.messages import OWN_OPERATIONS, OWN_VISIT, refused_kind
from tests.server.visiting import Visit

KINDS = list(BackMsg.DESCRIPTOR.fields_by_name)
OPERATIONS = [
    field.name
    for field in BackMsg().backend_operation_request.DESCRIPTOR.oneofs_by_name["payload"].fields
]


def message(kind: str) -> BackMsg:
    made = BackMsg()
    match BackMsg.DESCRIPTOR.fields_by_name[kind].message_type:
        case None:
            setattr(made, kind, True)
        case _:
            getattr(made, kind).SetInParent()
    return made


@pytest.mark.parametrize("kind", sorted({*KINDS} - OWN_VISIT - {"backend_operation_request"}))
def test_what_concerns_others_is_refused(kind):
    assert refused_kind(message(kind).SerializeToString()) == kind


def test_what_empties_and_what_ends_is_among_them():
    assert {"clear_cache", "debug_shutdown_runtime", "load_git_info"} <= set(KINDS) - OWN_VISIT
    assert "install_skills" in set(OPERATIONS) - OWN_OPERATIONS


@pytest.mark.parametrize("kind", sorted(OWN_VISIT))
def test_what_concerns_the_own_visit_goes_on(kind):
    assert refused_kind(message(kind).SerializeToString()) is None


@pytest.mark.parametrize("operation", OPERATIONS)
def test_of_operations_those_of_the_own_visit_go_on(operation):
    made = BackMsg()
    getattr(made.backend_operation_request, operation).SetInParent()
    refused = refused_kind(made.SerializeToString())
    assert refused == (None if operation in OWN_OPERATIONS else operation)


def test_the_last_of_two_kinds_counts_as_it_does_for_streamlit():
    rerun, clear = message("rerun_script"), message("clear_cache")
    assert refused_kind(rerun.SerializeToString() + clear.SerializeToString()) == "clear_cache"
    assert refused_kind(clear.SerializeToString() + rerun.SerializeToString()) is None


def test_nobody_empties_the_caches_and_the_visit_goes_on(visit: Visit, little_app):
    before = visit.run()
    for kind in ("clear_cache", "debug_shutdown_runtime", "load_git_info", "set_run_on_save"):
        visit.send(message(kind))
    assert visit.run() == before
    assert '"kind": "clear_cache"' in little_app.log_tail()
