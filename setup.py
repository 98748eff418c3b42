"""The one build step that pyproject.toml cannot say: the app's own files go into the wheel.

Streamlit opens app.py, pages/ and .streamlit/config.toml by their paths. They stand at the top of
the repository, and in a wheel inside the package, where they meet no other project's `pages`.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

APP_FILES = ("app.py", "pages/*.py", ".streamlit/config.toml")


class BuildWithApp(build_py):
    """Builds the packages, and beside them thingsviz/ui/app."""

    def run(self) -> None:
        """Build into an empty folder: what an earlier build left would go into the wheel too."""
        if self.editable_mode:
            super().run()
            return
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        app = Path(self.build_lib, "thingsviz", "ui", "app")
        for pattern in APP_FILES:
            for path in sorted(Path().glob(pattern)):
                (app / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, app / path)


setup(cmdclass={"build_py": BuildWithApp})
