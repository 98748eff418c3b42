"""The name that `thingsviz.commands.learning_curves` had; saved scripts call it."""

import runpy

if __name__ == "__main__":
    runpy.run_module("thingsviz.commands.learning_curves", run_name="__main__", alter_sys=True)
