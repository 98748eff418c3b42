import json

import pytest
from streamlit.testing.v1 import AppTest

from thingsviz.figures.base.style import palette


def one_chart(theme, save_as):
    import plotly.graph_objects as go

    from thingsviz.figures.base import style
    from thingsviz.ui.shell import charts

    figure = go.Figure(go.Scatter(x=[1], y=[2]), style.layout(theme, title={"text": "A title"}))
    charts.show(figure, theme, "small", alt="One dot at 1, 2", save_as=save_as)


@pytest.mark.parametrize(("theme", "save_as"), [("light", "png"), ("dark", "svg")])
def test_a_chart_is_named_described_and_saved_offline(theme, save_as):
    app = AppTest.from_function(one_chart, kwargs={"theme": theme, "save_as": save_as}).run()
    assert not app.exception
    proto = app.get("plotly_chart")[0].proto
    config, spec = json.loads(proto.config), json.loads(proto.spec)
    assert proto.alt == "One dot at 1, 2"
    assert config["toImageButtonOptions"] == {"format": save_as, "filename": "small", "scale": 2}
    assert not config["displaylogo"]
    # a saved picture has the ground of the theme, or its words could not be read elsewhere
    assert spec["layout"]["paper_bgcolor"] == palette(theme).background
    assert spec["layout"]["title"]["text"] == "A title"


def test_the_format_is_a_choice_that_lasts():
    def choice():
        import streamlit as st

        from thingsviz.ui.shell.charts import image_format

        st.write(image_format())

    app = AppTest.from_function(choice).run()
    assert app.markdown[0].value == "png"
    app.button_group[0].set_value("svg").run()
    assert app.markdown[0].value == "svg"
