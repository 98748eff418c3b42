"""Home: which data are here, in what state, and the first steps."""

from thingsviz.ui.home import show_home
from thingsviz.ui.shell.frame import guard, open_plain_page

theme = open_plain_page(
    "thingsviz", "See which data are here, get them ready, and take the first steps."
)
with guard():
    show_home(theme)
