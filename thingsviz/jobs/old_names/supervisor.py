"""The name that `thingsviz.commands.supervisor` had; saved scripts call it."""

import runpy

if __name__ == "__main__":
    runpy.run_module("thingsviz.commands.supervisor", run_name="__main__", alter_sys=True)
