"""Home: which data are here, in what state, and the first steps."""

from thingsviz.ui.frame import open_plain_page

open_plain_page("thingsviz", "See which data are here, get them ready, and take the first steps.")
