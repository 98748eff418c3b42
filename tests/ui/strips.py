"""What belongs to a score on a page, and a walk that finds a score without it."""

import re

# a number that is a score: r 0.37, top-10 3.1 %, 54.65 %, profile r 0.9
SCORE = re.compile(
    r"\br\W{0,4}[−-]?[01]\.\d\d|[Tt]op-\d+\D{1,20}\d+\.\d+ ?%|[Cc]onfidence\D{1,20}\d+\.\d+ ?%"
    r"|54\.65 %|Pearson r\D{1,3}\d"
)
# figures of the Server page, which are no scores
OF_THE_MACHINE = {"Visitors' tabs", "Memory of the app", "Memory of the machine", "Load"}
PARTS = ("interval", "chance", "ridge", "noise ceiling", "oracle", "permutation p")
PARTS += ("could not show",)


def is_complete(text) -> bool:
    """Whether a text has all that must stand beside a score, its count of trials included."""
    found = text or ""
    baseline = "mean " in found or "prior-only" in found
    counted = re.search(r"(trials|test images) of [\d,]+ concepts", found)
    return baseline and bool(counted) and all(part in found for part in PARTS)


def bare_scores(app) -> list[str]:
    """Return what a page run by AppTest prints as a score without what belongs to it."""
    figures = [m for m in app.metric if m.label not in OF_THE_MACHINE]
    found = [f"{m.label}: {m.value}" for m in figures if not is_complete(m.help)]
    said = [*app.markdown, *app.caption, *app.error, *app.info, *app.warning, *app.success]
    texts = [e for e in said if SCORE.search(e.value)]
    found += [element.value for element in texts if not _stands(element)]
    boxes = [b for b in app.selectbox if any(SCORE.search(str(o)) for o in b.options)]
    found += [box.label for box in boxes if not is_complete(box.help)]
    tables = [set(map(str, table.value)) for table in app.dataframe]
    return found + [f"table of {', '.join(sorted(t))}" for t in tables if not _whole(t)]


def _whole(columns) -> bool:
    """Whether a table of scores has an interval, chance, p and n beside them."""
    if not columns & {"score", "r", "value"}:
        return True
    spans = {"low", "span"} & columns or {"score"} & columns  # a score's text has its own
    return (
        bool(spans) and bool(columns & {"n", "n_trials", "trials"}) and {"chance", "p"} <= columns
    )


def _stands(element) -> bool:
    text = f"{element.value} {getattr(element.proto, 'help', '') or ''}"
    # parts of the strip itself, whose number carries the whole as its help
    beside = re.match(r"(chance|mean|ridge|noise ceiling|oracle|prior-only|95 % interval)", text)
    in_trials = "with the ratings of other concepts" in text
    trial = element.value.startswith("profile r")
    told = "cannot be told from chance" in text and "could not show" in text
    return bool(beside) or in_trials or trial or told or is_complete(text)
