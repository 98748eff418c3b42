# The public door: read at run time by lazy_loader, so each name stands once.

import pandas as pd

from .api.comparison import compare as compare
from .api.decoders import models as models
from .api.decoders import register_model as register_model
from .api.job import Job as Job
from .api.maps import Map as Map
from .api.open_data import datasets as datasets
from .api.open_data import load_subject as load_subject
from .api.open_data import simulate as simulate
from .api.parts import Folds as Folds
from .api.parts import Split as Split
from .api.parts import Trial as Trial
from .api.plots import plot_map as plot_map
from .api.plots import plot_scores as plot_scores
from .api.plots import plot_slices as plot_slices
from .api.score_table import score as score
from .api.subject import Subject as Subject
from .api.work import list_jobs as list_jobs
from .api.work import submit as submit
from .api.work import train as train

__version__: str

# the package thingsviz.jobs, which can be called
def jobs() -> pd.DataFrame: ...
