"""The address and the page keep in step without chasing each other."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def script():
    import streamlit as st

    from thingsviz.ui.shell import deep_link

    asked = deep_link.asked()
    st.write(f"asked {sorted(asked.items())}")
    if asked.get("trial") != "keep":
        deep_link.write(dataset="tiny", trial="3")
    st.write(f"then {sorted(deep_link.asked().items())}")


def said(app):
    assert not app.exception
    return [m.value for m in app.markdown]


def test_what_the_page_wrote_itself_is_not_asked_again():
    app = AppTest.from_function(script).run()
    assert said(app) == ["asked []", "then []"]
    assert dict(app.query_params) == {"dataset": "tiny", "trial": "3"}
    assert said(app.run()) == ["asked []", "then []"]


def test_a_link_is_asked_once():
    app = AppTest.from_function(script)
    app.query_params["trial"] = "7"
    assert said(app.run())[0] == "asked [('trial', '7')]"
    assert said(app.run())[0] == "asked []"


def test_the_browsers_back_button_is_asked_again():
    app = AppTest.from_function(script).run()
    app.query_params["trial"] = "2"
    assert said(app.run())[0] == "asked [('dataset', 'tiny'), ('trial', '2')]"


def test_a_page_that_writes_nothing_leaves_the_address():
    app = AppTest.from_function(script)
    app.query_params["trial"] = "keep"
    app.run()
    assert dict(app.query_params) == {"trial": "keep"}
