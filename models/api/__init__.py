"""Every decoder as a scikit-learn estimator: fit, predict, score, get_params."""

from models.api.classifiers import LDA, Identification, LinearSVM, OneHotRidge
from models.api.estimator import Decoder
from models.api.linear import (
    BandedRidge,
    ConceptDecoder,
    EncodingInversion,
    Mean,
    QuadraticDecoder,
    Ridge,
)
from models.api.networks import CNN3D, MLP, CNNViT, Logistic, ViT3D
from models.base.settings import Settings, setting

__all__ = [
    "CNN3D",
    "LDA",
    "MLP",
    "BandedRidge",
    "CNNViT",
    "ConceptDecoder",
    "EncodingInversion",
    "Identification",
    "LinearSVM",
    "Logistic",
    "Mean",
    "OneHotRidge",
    "QuadraticDecoder",
    "Ridge",
    "Settings",
    "ViT3D",
    "setting",
]

ESTIMATORS: dict[str, type[Decoder]] = {
    cls.model_name: cls
    for cls in (
        *(Ridge, BandedRidge, ConceptDecoder, QuadraticDecoder, EncodingInversion, Mean),
        *(LDA, LinearSVM, OneHotRidge, Identification),
        *(Logistic, MLP, CNN3D, ViT3D, CNNViT),
    )
}
