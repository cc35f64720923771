"""All that stands between a request and Streamlit, from the outside in."""

from starlette.middleware import Middleware

from pages.parts.server.headers import SecurityHeaders
from pages.parts.server.hosts import KnownHosts
from pages.parts.server.messages import OwnVisitOnly
from pages.parts.server.metrics import ClosedMetrics
from pages.parts.server.space import FramedCookies
from pages.parts.server.uploads import BoundedUploads

GUARDS = [
    Middleware(guard)
    for guard in (
        *(SecurityHeaders, FramedCookies, KnownHosts),
        *(ClosedMetrics, BoundedUploads, OwnVisitOnly),
    )
]
