"""The name that `thingsviz.commands.leaderboard` had; saved scripts call it."""

import runpy

if __name__ == "__main__":
    runpy.run_module("thingsviz.commands.leaderboard", run_name="__main__", alter_sys=True)
