"""`@component` labels a class, and lets type checkers hold it to the protocol of its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

if TYPE_CHECKING:
    from ablate.core.capabilities import Alias
    from ablate.core.interfaces import (
        Augment,
        Checkpoint,
        Dataset,
        Gather,
        Loss,
        Memory,
        Method,
        Model,
        Optimizer,
        Predict,
        Schedule,
        Step,
        Training,
        Update,
    )

Labelled = TypeVar("Labelled", bound=type)
AugmentClass = TypeVar("AugmentClass", bound="Callable[..., Augment | Alias]")
CheckpointClass = TypeVar("CheckpointClass", bound="Callable[..., Checkpoint | Alias]")
DatasetClass = TypeVar("DatasetClass", bound="Callable[..., Dataset | Alias]")
GatherClass = TypeVar("GatherClass", bound="Callable[..., Gather | Alias]")
LossClass = TypeVar("LossClass", bound="Callable[..., Loss | Alias]")
MemoryClass = TypeVar("MemoryClass", bound="Callable[..., Memory | Alias]")
MethodClass = TypeVar("MethodClass", bound="Callable[..., Method[Any] | Alias]")
ModelClass = TypeVar("ModelClass", bound="Callable[..., Model | Alias]")
OptimizerClass = TypeVar("OptimizerClass", bound="Callable[..., Optimizer | Alias]")
PredictClass = TypeVar("PredictClass", bound="Callable[..., Predict | Alias]")
ScheduleClass = TypeVar("ScheduleClass", bound="Callable[..., Schedule | Alias]")
StepClass = TypeVar("StepClass", bound="Callable[..., Step | Alias]")
TrainingClass = TypeVar("TrainingClass", bound="Callable[..., Training | Alias]")
UpdateClass = TypeVar("UpdateClass", bound="Callable[..., Update | Alias]")


@overload
def component(
    kind: Literal["augment"], name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[AugmentClass], AugmentClass]: ...
@overload
def component(
    kind: Literal["checkpoint"], name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[CheckpointClass], CheckpointClass]: ...
@overload
def component(
    kind: Literal["dataset"], name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[DatasetClass], DatasetClass]: ...
@overload
def component(
    kind: Literal["gather"], name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[GatherClass], GatherClass]: ...
@overload
def component(
    kind: Literal["loss"], name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[LossClass], LossClass]: ...
@overload
def component(
    kind: Literal["memory"], name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[MemoryClass], MemoryClass]: ...
@overload
def component(
    kind: Literal["method"], name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[MethodClass], MethodClass]: ...
@overload
def component(
    kind: Literal["model"], name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[ModelClass], ModelClass]: ...
@overload
def component(
    kind: Literal["optimizer"], name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[OptimizerClass], OptimizerClass]: ...
@overload
def component(
    kind: Literal["predict"], name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[PredictClass], PredictClass]: ...
@overload
def component(
    kind: Literal["schedule"], name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[ScheduleClass], ScheduleClass]: ...
@overload
def component(
    kind: Literal["step"], name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[StepClass], StepClass]: ...
@overload
def component(
    kind: Literal["training"], name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[TrainingClass], TrainingClass]: ...
@overload
def component(
    kind: Literal["update"], name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[UpdateClass], UpdateClass]: ...
@overload
def component(
    kind: str, name: str, *, paper: str = "", calibrated: str = ""
) -> Callable[[Labelled], Labelled]: ...
def component(kind: str, name: str, *, paper: str = "", calibrated: str = "") -> Any:
    """Label a class as a component.

    kind: the seam it fits. name: its name in suites. paper: authors, year, identifier, equation.
    calibrated: of a method, which published figure it reproduces and what it reaches; a method that
        says none is marked in every table that shows it.
    """

    def label(cls: Labelled) -> Labelled:
        cls.__ablate__ = (kind, name, paper, calibrated)  # type: ignore[attr-defined]
        return cls

    return label
