"""Overfitting: what the original study's classifiers do with more epochs, fewer trials and L2."""

from thingsviz.ui.scores import overfitting
from thingsviz.ui.shell.frame import guard, open_page

page = open_page(
    "Overfitting",
    "See whether the original study's classifiers over- or underfit: their losses over epochs, "
    "training trials and L2, with early stopping marked.",
)
with guard():
    study = overfitting.choose_study(page)
    overfitting.show_study(study, page)
