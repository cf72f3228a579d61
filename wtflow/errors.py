"""Every error that is meant for a person. Each names what is wrong and what to do.

WTFlowError
├── SettingsError            a setting is unknown or out of range
├── DatasetError             a folder, image or mask is not as expected
│   ├── LayoutError          the folder is not a known layout, or one level off
│   ├── DamagedDataSetError  a manifest of a data set made here is damaged
│   ├── ArchiveError         an archive or upload is damaged, too large or unsafe
│   └── ImageReadError       one image or mask cannot be read
│       └── ImageChangedError    it no longer holds what a run read there
├── BackboneError            the frozen network cannot be built or loaded
│   └── WeightsError         its weights are absent, unreachable or do not fit
├── FlowError                shapes or values that the flow cannot use
├── MetricError              the data do not define the metric
├── MovieError               a movie cannot be drawn or encoded
├── ExportError              a detector cannot be written in another program's format
├── MissingPackageError      what is asked for needs a package that is not installed
├── AccessError              a password, or who may come in, cannot be used as it is
├── NotAllowedError          the person at work may only look
└── StoreError               a run folder cannot be read or written
    ├── RunNotFoundError     no such run
    ├── DamagedRunError      the folder exists but a file in it is damaged
    ├── DetectorFileError    a detector's file is absent, damaged, newer than this version, or something else
    ├── RunBusyError         the run or its category is already in training
    ├── ChangedMeanwhileError   somebody else changed the same in another window
    ├── DiskFullError        no space left where runs or features are kept
    └── ReadOnlyError        the folder where runs are kept may not be written to
"""

from typing import Any


class WTFlowError(Exception):
    """An error for a person: `message` is what is wrong, `fix` what to do about it."""

    def __init__(self, message: str, *, fix: str) -> None:
        super().__init__(message, fix)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message} {self.fix}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.fix))


def _rebuild(cls: type[WTFlowError], message: str, fix: str) -> WTFlowError:
    """Let errors cross a process boundary although `fix` is keyword-only."""
    return cls(message, fix=fix)


class SettingsError(WTFlowError):
    pass


class DatasetError(WTFlowError):
    pass


class LayoutError(DatasetError):
    pass


class DamagedDataSetError(DatasetError):
    pass


class ArchiveError(DatasetError):
    pass


class ImageReadError(DatasetError):
    pass


class ImageChangedError(ImageReadError):
    pass


class BackboneError(WTFlowError):
    pass


class WeightsError(BackboneError):
    pass


class FlowError(WTFlowError):
    pass


class MetricError(WTFlowError):
    pass


class MovieError(WTFlowError):
    pass


class MissingPackageError(WTFlowError):
    pass


class ExportError(WTFlowError):
    pass


class AccessError(WTFlowError):
    pass


class NotAllowedError(WTFlowError):
    pass


class StoreError(WTFlowError):
    pass


class RunNotFoundError(StoreError):
    pass


class DamagedRunError(StoreError):
    pass


class DetectorFileError(StoreError):
    pass


class RunBusyError(StoreError):
    pass


class ChangedMeanwhileError(StoreError):
    pass


class DiskFullError(StoreError):
    pass


class ReadOnlyError(StoreError):
    pass
