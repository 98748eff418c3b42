"""Settings of the original study's three classifiers and of the linear ones beside them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models.base.settings import ModelSettings, setting
from models.base.spec import ModelSpec

Width = Annotated[int, Field(ge=1, le=1024)]


class VoxelSettings(ModelSettings):
    """Which voxels a network without tokens reads."""

    input: Literal["volume", "brain", "selected"] = setting(
        "volume",
        "Voxels",
        "volume: every second voxel along x, y and z, as in the original study; brain: every "
        "voxel of the brain; selected: those that say most about the answers in the fitting "
        "trials.",
    )
    n_selected_voxels: int = setting(
        5_000, "Keep the best voxels", "How many voxels 'selected' keeps.", ge=1, le=10_000_000
    )

    @property
    def needs_score(self) -> bool:
        """Whether voxels are selected by their score."""
        return self.input == "selected"


class LogisticConfig(VoxelSettings):
    """Logistic regression: one linear layer, its defaults the original study's (its §6)."""

    name: Literal["logistic"] = setting("logistic", "Model", "One linear layer.")
    start: Literal["random", "zero"] = setting(
        "random",
        "Start",
        "random: as PyTorch draws weights; zero: all classes alike before the first step.",
        more=True,
    )


class MLPConfig(VoxelSettings):
    """A network with one hidden layer, its defaults the original study's (its §6)."""

    name: Literal["mlp"] = setting("mlp", "Model", "One hidden layer.")
    hidden: int = setting(512, "Hidden units", "Width of the hidden layer.", ge=1, le=16_384)
    dropout: float = setting(
        0.3, "Dropout", "Share of hidden units dropped while training.", ge=0, lt=1
    )


class CNN3DConfig(ModelSettings):
    """Three convolution blocks, their defaults the original study's (its §6)."""

    name: Literal["cnn3d"] = setting("cnn3d", "Model", "A 3-D convolution network.")
    stride: int = setting(
        2,
        "Down-sampling",
        "Every n-th voxel along x, y and z; the original study took 2.",
        ge=1,
        le=8,
    )
    crop: bool = setting(
        False, "Crop to the brain", "Leave out the volume's empty margin: faster, same result."
    )
    channels: tuple[Width, Width, Width] = setting(
        (32, 64, 128), "Channels", "Features of the three blocks.", more=True
    )
    hidden: int = setting(
        256, "Hidden units", "Width of the layer before the last.", ge=1, le=8192
    )
    dropout: float = setting(
        0.3, "Dropout", "Share of hidden units dropped while training.", ge=0, lt=1
    )


class ProjectedSettings(ModelSettings):
    """The space in which the linear classifiers work."""

    n_selected_voxels: int | None = setting(
        12_000,
        "Keep the best voxels",
        "Keep at most so many voxels: those that tell the classes apart best in the fitting "
        "trials. Empty: all of them.",
        ge=1,
        le=10_000_000,
    )
    n_components: int | None = setting(
        400,
        "Components",
        "Project the voxels on so many principal components of the fitting trials, so that many "
        "classes stay fast. Empty: as many as there are.",
        ge=1,
        le=10_000,
    )
    seed: int = setting(
        0,
        "Seed",
        "Draws the components' start and the held-out trials.",
        ge=0,
        le=2**31 - 1,
        more=True,
    )


class LDAConfig(ProjectedSettings):
    """Linear discriminant analysis with a shrunk covariance."""

    name: Literal["lda"] = setting("lda", "Model", "Linear discriminant analysis.")
    shrinkage: float | None = setting(
        None,
        "Shrinkage",
        "How far the covariance is drawn to a sphere, 0 to 1. Empty: Ledoit and Wolf's estimate.",
        ge=0,
        le=1,
    )
    prior: Literal["training", "equal"] = setting(
        "training", "Prior", "How often each class is expected: as in training, or equally often."
    )


class MultinomialRidgeConfig(ProjectedSettings):
    """Ridge regression on one column a class; the largest wins."""

    name: Literal["multinomial_ridge"] = setting(
        "multinomial_ridge", "Model", "Ridge regression on one-hot classes."
    )
    n_alphas: int = setting(13, "Penalties tried", "Penalties on a log scale.", ge=1, le=60)
    held_out: float = setting(
        0.2,
        "Trials held out",
        "Share of the training images on which the penalty is chosen.",
        gt=0,
        lt=1,
        more=True,
    )


class LinearSVMConfig(ProjectedSettings):
    """A linear support vector machine a class, each against all others."""

    name: Literal["linear_svm"] = setting(
        "linear_svm", "Model", "Linear support vector machine: the field's usual reference."
    )
    C: float | None = setting(
        None,
        "C",
        "How much a trial on the wrong side of the margin costs, as in scikit-learn, whose usual "
        "value is 1. Empty: chosen on held-out training images.",
        gt=0,
        le=1e9,
    )
    n_values: int = setting(
        4, "Values of C tried", "Values on a log scale.", ge=1, le=30, more=True
    )
    held_out: float = setting(
        0.2,
        "Trials held out",
        "Share of the training images on which C is chosen.",
        gt=0,
        lt=1,
        more=True,
    )


class IdentificationConfig(ModelSettings):
    """Predict ratings by ridge, then name the class whose ratings are most alike."""

    name: Literal["identification"] = setting(
        "identification", "Model", "Names the concept whose ratings fit the predicted ones best."
    )
    n_selected_voxels: int | None = setting(
        12_000,
        "Keep the best voxels",
        "Keep at most so many voxels: those that the ratings explain best. Empty: all.",
        ge=1,
        le=10_000_000,
    )
    seed: int = setting(0, "Seed", "Draws the held-out concepts.", ge=0, le=2**31 - 1, more=True)


LOGISTIC = ModelSpec(
    "logistic",
    LogisticConfig,
    "network",
    "One linear layer: the original study's logistic regression.",
    "models.classify.voxel_networks:Logistic",
    "models.classify.cost:logistic_work",
)
MLP = ModelSpec(
    "mlp",
    MLPConfig,
    "network",
    "One hidden layer of 512 units.",
    "models.classify.voxel_networks:MLP",
    "models.classify.cost:mlp_work",
)
CNN3D = ModelSpec(
    "cnn3d",
    CNN3DConfig,
    "network",
    "Three blocks of 3-D convolution, then two layers.",
    "models.classify.voxel_networks:CNN3D",
    "models.classify.cost:cnn3d_work",
)
LDA = ModelSpec(
    "lda",
    LDAConfig,
    "linear",
    "Linear discriminant analysis of classes, with a shrunk covariance.",
    "models.classify.lda:LDA",
    "models.classify.cost:projected_work",
    learns="classes",
)
LINEAR_SVM = ModelSpec(
    "linear_svm",
    LinearSVMConfig,
    "linear",
    "A linear support vector machine a class: the field's usual reference.",
    "models.classify.linear_svm:LinearSVM",
    "models.classify.cost:linear_svm_work",
    learns="classes",
)
MULTINOMIAL_RIDGE = ModelSpec(
    "multinomial_ridge",
    MultinomialRidgeConfig,
    "linear",
    "Ridge regression on one-hot classes: the reference of classifiers.",
    "models.classify.onehot_ridge:MultinomialRidge",
    "models.classify.cost:onehot_ridge_work",
    learns="classes",
)
IDENTIFICATION = ModelSpec(
    "identification",
    IdentificationConfig,
    "linear",
    "Predicts ratings and names the concept that is rated like that, even an unseen one.",
    "models.classify.identification:Identification",
    "models.classify.cost:identification_work",
    learns="classes",
    names_unseen=True,
)
