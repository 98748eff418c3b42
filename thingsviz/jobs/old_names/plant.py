"""The name that `thingsviz.commands.simulate` had; saved scripts call it."""

import runpy

if __name__ == "__main__":
    runpy.run_module("thingsviz.commands.simulate", run_name="__main__", alter_sys=True)
