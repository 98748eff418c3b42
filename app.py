"""The app's entry: `streamlit run app.py`. Shows the page that was asked for."""

from thingsviz.ui.frame import navigation

navigation().run()
