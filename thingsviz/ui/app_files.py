"""Where the files lie that Streamlit opens by their paths: app.py, pages/ and .streamlit/."""

from pathlib import Path

PACKAGED = Path(__file__).parent / "app"
CLONE = Path(__file__).parents[2]


def app_folder() -> Path:
    """Return the folder of app.py: inside an installed wheel, else the top of the clone."""
    return PACKAGED if PACKAGED.is_dir() else CLONE
