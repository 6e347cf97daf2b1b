"""Layers, losses and containers under PyTorch's names."""

from __future__ import annotations

from . import functional, init, utils
from .activation import *
from .batch_norm import *
from .containers import *
from .dropout import *
from .embedding import *
from .flatten import *
from .layer_norm import *
from .linear import *
from .loss import *
from .module import Module
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter
from .parameter_containers import *
