"""What a page is told of the server and of its errors."""

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import Config

from tests.socket_visit import page_socket


def told(url: str, query: str = "") -> list[ForwardMsg]:
    """All messages of a visit's first run."""
    asking, messages = BackMsg(), list[ForwardMsg]()
    asking.rerun_script.query_string = query
    with page_socket(url) as socket:
        socket.send(asking)
        while not messages or messages[-1].WhichOneof("type") != "script_finished":
            messages.append(socket.receive())
    return messages


def test_an_error_is_its_kind_and_no_more(little_app):
    elements = [message.delta.new_element for message in told(little_app.url, "fail=1")]
    (shown,) = [one.exception for one in elements if one.WhichOneof("type") == "exception"]
    assert shown.type == "ArithmeticError"
    assert "secret" not in str(elements) and not shown.stack_trace


@pytest.mark.parametrize("which", ["little_app", "app"])
def test_a_page_counts_nobody_and_offers_no_deployment(which, request):
    server = request.getfixturevalue(which)
    (said,) = [m.new_session.config for m in told(server.url) if m.HasField("new_session")]
    assert not said.gather_usage_stats
    assert said.toolbar_mode == Config.MINIMAL
    assert said.show_error_links == Config.SHOW_ERROR_LINKS_FALSE
