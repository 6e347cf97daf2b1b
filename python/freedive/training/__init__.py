"""The book's object-oriented layer: models, data modules and the Trainer that brings them together."""

from .board import ProgressBoard
from .callbacks import Callback, CSVLog, EarlyStopping, Picture
from .checkpoint import CheckpointError
from .classifiers import (
    MLP,
    DropoutMLP,
    DropoutMLPScratch,
    MLPScratch,
    SoftmaxRegression,
    SoftmaxRegressionScratch,
    dropout_layer,
    init_cnn,
)
from .data_module import DataModule
from .hyperparameters import HyperParameters, add_to_class
from .images import Digits, FashionMNIST
from .linear import SGD, LinearRegression, LinearRegressionScratch, WeightDecay
from .module import Classifier, Module
from .trainer import Trainer

__all__ = [
    "MLP",
    "SGD",
    "CSVLog",
    "Callback",
    "CheckpointError",
    "Classifier",
    "DataModule",
    "Digits",
    "DropoutMLP",
    "DropoutMLPScratch",
    "EarlyStopping",
    "FashionMNIST",
    "HyperParameters",
    "LinearRegression",
    "LinearRegressionScratch",
    "MLPScratch",
    "Module",
    "Picture",
    "ProgressBoard",
    "SoftmaxRegression",
    "SoftmaxRegressionScratch",
    "Trainer",
    "WeightDecay",
    "add_to_class",
    "dropout_layer",
    "init_cnn",
]
