"""The script that runs for each visitor: shows the page that was asked for."""

from thingsviz.ui.shell.frame import navigation

navigation().run()
