"""What belongs to a score on a page, and a walk that finds a score without it."""

import re

# a number that is a score: r 0.37, top-10 3.1 %, 54.65 %, profile r 0.9
SCORE = re.compile(
    r"\br\W{0,4}[−-]?[01]\.\d\d|[Tt]op-\d+\D{1,20}\d+\.\d+ ?%|[Cc]onfidence\D{1,20}\d+\.\d+ ?%"
    r"|54\.65 %|Pearson r\D{1,3}\d"
)
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
    found = [f"{m.label}: {m.value}" for m in app.metric if not is_complete(m.help)]
    texts = [e for e in [*app.markdown, *app.caption] if SCORE.search(e.value)]
    found += [element.value for element in texts if not _stands(element)]
    boxes = [b for b in app.selectbox if any(SCORE.search(str(o)) for o in b.options)]
    return found + [box.label for box in boxes if not is_complete(box.help)]


def _stands(element) -> bool:
    text = f"{element.value} {element.proto.help or ''}"
    # parts of the strip itself, whose number carries the whole as its help
    beside = re.match(r"(chance|mean|ridge|noise ceiling|oracle|prior-only|95 % interval)", text)
    in_trials = "with the ratings of other concepts" in text
    trial = element.value.startswith("profile r")
    told = "cannot be told from chance" in text and "could not show" in text
    return bool(beside) or in_trials or trial or told or is_complete(text)
