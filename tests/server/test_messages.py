"""What a visitor may send over the socket."""

import time
from urllib.parse import urlsplit

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from pages.parts.server.messages import OWN_OPERATIONS, OWN_VISIT, refused_kind
from tests.browser.server import Server

SECONDS = 30
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


def shown_after_a_run(visit: ClientConnection) -> str:
    """The text on the page after the next run of its script."""
    visit.send(message("rerun_script").SerializeToString())
    shown, deadline = "", time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        received = ForwardMsg()
        frame = visit.recv(timeout=SECONDS)
        assert isinstance(frame, bytes)
        received.ParseFromString(frame)
        match received.WhichOneof("type"):
            case "delta" if received.delta.new_element.WhichOneof("type") == "text":
                shown = received.delta.new_element.text.body
            case "ref_hash":
                pytest.fail("a text is too short to be kept")
            case "script_finished" if shown:
                return shown
    raise TimeoutError


@pytest.fixture
def visit(little_app: Server):
    address = f"ws://{urlsplit(little_app.url).netloc}/_stcore/stream"
    with connect(address, open_timeout=SECONDS, max_size=None, proxy=None) as connection:
        yield connection


def test_nobody_empties_the_caches_and_the_visit_goes_on(visit, little_app):
    before = shown_after_a_run(visit)
    for kind in ("clear_cache", "debug_shutdown_runtime", "load_git_info", "set_run_on_save"):
        visit.send(message(kind).SerializeToString())
    assert shown_after_a_run(visit) == before
    assert '"kind": "clear_cache"' in little_app.log_tail()
