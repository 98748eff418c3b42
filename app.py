"""The app's entry: `streamlit run app.py`."""

from pathlib import Path

from starlette.middleware import Middleware
from streamlit.starlette import App

import thingsviz
from thingsviz.core import log
from thingsviz.ui.access.middleware import AccessMiddleware
from thingsviz.ui.server import monitor, startup
from thingsviz.ui.server import root_address as server
from thingsviz.ui.server.root_address import RootAddress

log.begin("app")
log.event("the app starts", version=thingsviz.__version__)
SCRIPT = Path(thingsviz.__file__).parent / "ui" / "main.py"

app = App(
    SCRIPT,
    routes=[*monitor.ROUTES, *server.ROUTES],
    middleware=[Middleware(AccessMiddleware), Middleware(RootAddress)],
    lifespan=startup.lifespan,
    on_script_error=startup.tell,
)
