"""Server: how the machine, the jobs and the people on it are doing; for administrators."""

from thingsviz.ui.access.visitor import need
from thingsviz.ui.server import view as server_view
from thingsviz.ui.shell.frame import guard, open_plain_page

open_plain_page("Server", "How this server is doing, and what to look at when it is not.")
with guard():
    need("administer")
    server_view.show_server()
