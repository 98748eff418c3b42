"""Every decoder as a scikit-learn estimator (written by models/api/write_stub.py)."""

from collections.abc import Mapping, Sequence
from typing import Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.base.arrays import TrialMatrix
from models.base.settings import Settings as Settings
from models.base.settings import setting as setting
from models.catalog.config import ModelConfig
from models.training.config import FitConfig

Float: TypeAlias = NDArray[np.float32]
Responses: TypeAlias = NDArray[np.float16] | Float | NDArray[np.float64] | TrialMatrix
Ratings: TypeAlias = Float | NDArray[np.float64]
Labels: TypeAlias = NDArray[np.str_] | NDArray[np.int64] | Sequence[str] | Sequence[int]
Groups: TypeAlias = Labels | None
Mask: TypeAlias = NDArray[np.bool_] | None

class Decoder:
    model_name: str
    settings: tuple[type[Settings], ...]
    n_features_in_: int
    @property
    def config(self) -> ModelConfig: ...
    def get_params(self, deep: bool = True) -> dict[str, object]: ...
    def set_params(self, **params: object) -> Self: ...

class LinearDecoder(Decoder):
    def fit(self, X: Responses, Y: Ratings, groups: Groups = None) -> Self: ...
    def predict(self, X: Responses) -> Float: ...
    def score(self, X: Responses, y: Ratings, sample_weight: Ratings | None = None) -> float: ...

class WeightedDecoder(LinearDecoder):
    @property
    def coef_(self) -> Float: ...
    @property
    def intercept_(self) -> Float: ...

class LinearClassifier(Decoder):
    classes_: NDArray[np.str_]
    def fit(self, X: Responses, y: Labels, groups: Groups = None) -> Self: ...
    def predict(self, X: Responses) -> NDArray[np.str_]: ...
    def decision_function(self, X: Responses) -> Float: ...
    def score(self, X: Responses, y: Labels, sample_weight: Ratings | None = None) -> float: ...

class NetworkDecoder(Decoder):
    best_epoch_: int
    history_: list[dict[str, object]]
    @property
    def fit_config(self) -> FitConfig: ...
    def fit(
        self,
        X: Responses,
        Y: Ratings | Labels,
        groups: Groups = None,
        validation: NDArray[np.bool_] | None = None,
    ) -> Self: ...
    def predict(self, X: Responses) -> Float: ...
    def predict_proba(self, X: Responses) -> Float: ...
    def score(
        self, X: Responses, y: Ratings | Labels, sample_weight: Ratings | None = None
    ) -> float: ...

class Ridge(WeightedDecoder):
    def __init__(
        self,
        *,
        n_alphas: int = 13,
        log10_alpha_min: float = -3.0,
        log10_alpha_max: float = 3.0,
        held_out: float = 0.2,
        n_selected_voxels: int | None = 12000,
        score_power: float = 0.5,
        block_voxels: int = 4096,
        seed: int = 0,
    ) -> None: ...

class BandedRidge(WeightedDecoder):
    def __init__(
        self,
        *,
        mask: Mask = None,
        bands: Literal["score", "place"] = "score",
        n_bands: int = 4,
        n_candidates: int = 60,
        n_alphas: int = 13,
        log10_alpha_min: float = -4.0,
        log10_alpha_max: float = 2.0,
        n_selected_voxels: int | None = 30000,
        score_power: float = 0.5,
        held_out: float = 0.2,
        block_voxels: int = 4096,
        seed: int = 0,
    ) -> None: ...

class ConceptDecoder(WeightedDecoder):
    def __init__(
        self,
        *,
        mask: Mask = None,
        n_axes: int = 100,
        local_noise: Literal["ignore", "invert"] = "ignore",
        n_selected_voxels: int | None = 60000,
        score_power: float = 0.5,
        tuning_fwhm: float = 3.0,
        phi: float | None = None,
        alpha: float | None = None,
        held_out: float = 0.2,
        block_voxels: int = 4096,
        seed: int = 0,
    ) -> None: ...

class QuadraticDecoder(LinearDecoder):
    def __init__(
        self,
        *,
        mask: Mask = None,
        n_axes: int = 100,
        local_noise: Literal["ignore", "invert"] = "ignore",
        n_selected_voxels: int | None = 60000,
        score_power: float = 0.5,
        tuning_fwhm: float = 3.0,
        phi: float | None = None,
        alpha: float | None = None,
        held_out: float = 0.2,
        block_voxels: int = 4096,
        seed: int = 0,
        n_product_axes: int = 30,
        product_alpha: float | None = None,
        gain_power: float | None = None,
    ) -> None: ...

class EncodingInversion(WeightedDecoder):
    def __init__(
        self,
        *,
        space: Literal["voxels", "residual_axes"] = "voxels",
        n_axes: int = 100,
        n_selected_voxels: int | None = 60000,
        block_voxels: int = 4096,
        seed: int = 0,
    ) -> None: ...

class Mean(LinearDecoder):
    def __init__(
        self,
    ) -> None: ...

class LDA(LinearClassifier):
    def __init__(
        self,
        *,
        n_selected_voxels: int | None = 12000,
        n_components: int | None = 400,
        seed: int = 0,
        shrinkage: float | None = None,
        prior: Literal["training", "equal"] = "training",
    ) -> None: ...
    def predict_proba(self, X: Responses) -> Float: ...

class LinearSVM(LinearClassifier):
    def __init__(
        self,
        *,
        n_selected_voxels: int | None = 12000,
        n_components: int | None = 400,
        seed: int = 0,
        C: float | None = None,
        n_values: int = 4,
        held_out: float = 0.2,
    ) -> None: ...

class OneHotRidge(LinearClassifier):
    def __init__(
        self,
        *,
        n_selected_voxels: int | None = 12000,
        n_components: int | None = 400,
        seed: int = 0,
        n_alphas: int = 13,
        held_out: float = 0.2,
    ) -> None: ...

class Identification(LinearClassifier):
    def __init__(
        self,
        *,
        profiles: Mapping[str, Ratings] | None = None,
        n_selected_voxels: int | None = 12000,
        seed: int = 0,
    ) -> None: ...

class Logistic(NetworkDecoder):
    def __init__(
        self,
        *,
        mask: Mask = None,
        input: Literal["volume", "brain", "selected"] = "volume",
        n_selected_voxels: int = 5000,
        start: Literal["random", "zero"] = "random",
        epochs: int = 10,
        batches_per_epoch: int | None = 64,
        batch_size: int = 16,
        micro_batch_size: int | None = None,
        loss: Literal["mse", "huber", "cross_entropy"] = "mse",
        huber_delta: float = 1.0,
        target_weights: Literal["equal", "rating_sd"] = "equal",
        noise_sd: float = 0.0,
        repeat_mixing: float = 0.0,
        target_scaling: Literal["z", "none"] = "z",
        optimiser: Literal["adamw", "adam"] = "adamw",
        learning_rate: float = 0.0001,
        embedding_learning_rate: float | None = None,
        weight_decay: float = 0.01,
        schedule: Literal["plateau", "none"] = "plateau",
        warmup_batches: int = 0,
        gradient_clip: float | None = 1.0,
        early_stopping: int | None = None,
        best_by: Literal[
            "validation_loss", "validation_r", "validation_top10"
        ] = "validation_loss",
        start_margin: float = 1.0,
        validation_batches: int | None = None,
        keep_epochs: int = 0,
        precision: Literal["auto", "float32", "bfloat16"] = "auto",
        device: Literal["auto", "cpu", "cuda"] = "auto",
        seed: int = 0,
    ) -> None: ...

class MLP(NetworkDecoder):
    def __init__(
        self,
        *,
        mask: Mask = None,
        input: Literal["volume", "brain", "selected"] = "volume",
        n_selected_voxels: int = 5000,
        hidden: int = 512,
        dropout: float = 0.3,
        epochs: int = 10,
        batches_per_epoch: int | None = 64,
        batch_size: int = 16,
        micro_batch_size: int | None = None,
        loss: Literal["mse", "huber", "cross_entropy"] = "mse",
        huber_delta: float = 1.0,
        target_weights: Literal["equal", "rating_sd"] = "equal",
        noise_sd: float = 0.0,
        repeat_mixing: float = 0.0,
        target_scaling: Literal["z", "none"] = "z",
        optimiser: Literal["adamw", "adam"] = "adamw",
        learning_rate: float = 0.0001,
        embedding_learning_rate: float | None = None,
        weight_decay: float = 0.01,
        schedule: Literal["plateau", "none"] = "plateau",
        warmup_batches: int = 0,
        gradient_clip: float | None = 1.0,
        early_stopping: int | None = None,
        best_by: Literal[
            "validation_loss", "validation_r", "validation_top10"
        ] = "validation_loss",
        start_margin: float = 1.0,
        validation_batches: int | None = None,
        keep_epochs: int = 0,
        precision: Literal["auto", "float32", "bfloat16"] = "auto",
        device: Literal["auto", "cpu", "cuda"] = "auto",
        seed: int = 0,
    ) -> None: ...

class CNN3D(NetworkDecoder):
    def __init__(
        self,
        *,
        mask: Mask = None,
        stride: int = 2,
        crop: bool = False,
        channels: tuple[int, int, int] = (32, 64, 128),
        hidden: int = 256,
        dropout: float = 0.3,
        epochs: int = 10,
        batches_per_epoch: int | None = 64,
        batch_size: int = 16,
        micro_batch_size: int | None = None,
        loss: Literal["mse", "huber", "cross_entropy"] = "mse",
        huber_delta: float = 1.0,
        target_weights: Literal["equal", "rating_sd"] = "equal",
        noise_sd: float = 0.0,
        repeat_mixing: float = 0.0,
        target_scaling: Literal["z", "none"] = "z",
        optimiser: Literal["adamw", "adam"] = "adamw",
        learning_rate: float = 0.0001,
        embedding_learning_rate: float | None = None,
        weight_decay: float = 0.01,
        schedule: Literal["plateau", "none"] = "plateau",
        warmup_batches: int = 0,
        gradient_clip: float | None = 1.0,
        early_stopping: int | None = None,
        best_by: Literal[
            "validation_loss", "validation_r", "validation_top10"
        ] = "validation_loss",
        start_margin: float = 1.0,
        validation_batches: int | None = None,
        keep_epochs: int = 0,
        precision: Literal["auto", "float32", "bfloat16"] = "auto",
        device: Literal["auto", "cpu", "cuda"] = "auto",
        seed: int = 0,
    ) -> None: ...

class ViT3D(NetworkDecoder):
    def __init__(
        self,
        *,
        mask: Mask = None,
        patch_size: tuple[int, int, int] = (6, 7, 5),
        pad: bool = False,
        tokens: Literal["dense", "brain"] = "dense",
        n_selected_tokens: int | None = None,
        patch_embedding: Literal["shared", "local"] = "shared",
        embed_dim: int = 512,
        n_layers: int = 6,
        n_heads: int = 8,
        mlp_ratio: float = 4.0,
        dropout: float = 0.1,
        attention_dropout: float = 0.0,
        input_dropout: float = 0.0,
        pooling: Literal["cls", "mean", "sum"] = "cls",
        final_norm: bool = True,
        head: Literal["linear", "mlp"] = "linear",
        start: Literal["random", "mean", "linear"] = "random",
        score_power: float = 0.0,
        attention: str = "softmax",
        start_from: Literal["ridge", "concept_decoder"] = "ridge",
        epochs: int = 10,
        batches_per_epoch: int | None = 64,
        batch_size: int = 16,
        micro_batch_size: int | None = None,
        loss: Literal["mse", "huber", "cross_entropy"] = "mse",
        huber_delta: float = 1.0,
        target_weights: Literal["equal", "rating_sd"] = "equal",
        noise_sd: float = 0.0,
        repeat_mixing: float = 0.0,
        target_scaling: Literal["z", "none"] = "z",
        optimiser: Literal["adamw", "adam"] = "adamw",
        learning_rate: float = 0.0001,
        embedding_learning_rate: float | None = None,
        weight_decay: float = 0.01,
        schedule: Literal["plateau", "none"] = "plateau",
        warmup_batches: int = 0,
        gradient_clip: float | None = 1.0,
        early_stopping: int | None = None,
        best_by: Literal[
            "validation_loss", "validation_r", "validation_top10"
        ] = "validation_loss",
        start_margin: float = 1.0,
        validation_batches: int | None = None,
        keep_epochs: int = 0,
        precision: Literal["auto", "float32", "bfloat16"] = "auto",
        device: Literal["auto", "cpu", "cuda"] = "auto",
        seed: int = 0,
    ) -> None: ...

class CNNViT(NetworkDecoder):
    def __init__(
        self,
        *,
        mask: Mask = None,
        patch_size: tuple[int, int, int] = (6, 11, 6),
        pad: bool = False,
        tokens: Literal["dense", "brain"] = "dense",
        n_selected_tokens: int | None = None,
        patch_embedding: Literal["shared", "local"] = "shared",
        embed_dim: int = 512,
        n_layers: int = 6,
        n_heads: int = 8,
        mlp_ratio: float = 4.0,
        dropout: float = 0.1,
        attention_dropout: float = 0.0,
        input_dropout: float = 0.0,
        pooling: Literal["cls", "mean", "sum"] = "cls",
        final_norm: bool = True,
        head: Literal["linear", "mlp"] = "linear",
        start: Literal["random", "mean"] = "random",
        score_power: float = 0.0,
        attention: str = "softmax",
        scales: Literal["last", "both"] = "last",
        first_patch_size: tuple[int, int, int] = (6, 11, 6),
        first_channels: int = 32,
        last_channels: int = 64,
        epochs: int = 10,
        batches_per_epoch: int | None = 64,
        batch_size: int = 16,
        micro_batch_size: int | None = None,
        loss: Literal["mse", "huber", "cross_entropy"] = "mse",
        huber_delta: float = 1.0,
        target_weights: Literal["equal", "rating_sd"] = "equal",
        noise_sd: float = 0.0,
        repeat_mixing: float = 0.0,
        target_scaling: Literal["z", "none"] = "z",
        optimiser: Literal["adamw", "adam"] = "adamw",
        learning_rate: float = 0.0001,
        embedding_learning_rate: float | None = None,
        weight_decay: float = 0.01,
        schedule: Literal["plateau", "none"] = "plateau",
        warmup_batches: int = 0,
        gradient_clip: float | None = 1.0,
        early_stopping: int | None = None,
        best_by: Literal[
            "validation_loss", "validation_r", "validation_top10"
        ] = "validation_loss",
        start_margin: float = 1.0,
        validation_batches: int | None = None,
        keep_epochs: int = 0,
        precision: Literal["auto", "float32", "bfloat16"] = "auto",
        device: Literal["auto", "cpu", "cuda"] = "auto",
        seed: int = 0,
    ) -> None: ...

ESTIMATORS: dict[str, type[Decoder]]
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
