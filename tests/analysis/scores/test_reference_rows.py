from thingsviz.analysis.scores.reference_rows import REFERENCE_ROWS
from thingsviz.pipeline.tasks.classes import Classes
from thingsviz.pipeline.tasks.ratings import Ratings
from thingsviz.ui.shell.glossary import GLOSSARY


def test_every_reference_that_a_task_computes_is_called_something_and_explained():
    rows = {row.name: row for row in REFERENCE_ROWS}
    assert set(Ratings.references) <= {r.name for r in rows.values() if r.of != "classes"}
    assert set(Classes.references) <= {r.name for r in rows.values() if r.of != "ratings"}
    assert all(rows[name].long and rows[name].dash for name in Classes.references)
    assert {row.term for row in REFERENCE_ROWS} <= set(GLOSSARY)
