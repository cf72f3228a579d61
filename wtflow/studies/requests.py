"""Requests to a finished run: plain, validated values. Equal requests have the same answer."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

from wtflow.config import Solver
from wtflow.errors import SettingsError
from wtflow.records.coupling import CouplingStudy
from wtflow.records.drawn import DrawnPictures
from wtflow.records.failures import ImageFacts, NearestNormals
from wtflow.records.flow import Landscape, PlaneKind, Projection, ReturnTrip, StepsRow, Travel
from wtflow.records.follow import OverTime, Yardstick
from wtflow.records.normals import NormalScores
from wtflow.studies.positions import How

VERSION = 2
"""Part of every fingerprint: raise it when the meaning of an answer changes, so that old files are ignored."""

MAP_MOST_FITTED = 1000
"""Images that the UMAP of this map is fitted on, as on the page `wells`; the others are placed."""

Metric = Literal["euclidean", "cosine", "manhattan", "correlation"]

StepsAnswer = tuple[tuple[StepsRow, ...], tuple[ReturnTrip, ...]]
LandscapeAnswer = tuple[Landscape, ...]
Answer = (
    Travel
    | Projection
    | StepsAnswer
    | LandscapeAnswer
    | ImageFacts
    | NearestNormals
    | DrawnPictures
    | Yardstick
    | OverTime
    | NormalScores
    | CouplingStudy
)
A = TypeVar("A", bound=Answer)
A_co = TypeVar("A_co", bound=Answer, covariant=True)


class RequestFor(BaseModel, Generic[A_co]):
    """A request whose answer is an A_co."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str


class TravelRequest(RequestFor[Travel]):
    """Positions moved along the flow."""

    kind: Literal["travel"] = "travel"
    rows: tuple[int, ...] = Field(
        (), max_length=100_000, description="Images by their row in the score table; empty: all test images."
    )
    how: How = Field("balanced", description="How positions are chosen in them.")
    n: int = Field(2000, ge=1, le=50_000, description="Positions in all.")
    at: tuple[int, int] | None = Field(
        None, description="A single grid position (row, column) of the single image, instead of choosing."
    )
    steps: int = Field(20, ge=1, le=200, description="Solver steps; every one is saved.")
    solver: Solver = "euler"
    n_probes: int = Field(0, ge=0, le=64, description="Random directions of the divergence estimate; 0: none.")
    seed: int = Field(0, ge=0, le=2**31 - 1)

    @field_validator("rows")
    @classmethod
    def _each_image_once(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        """Sorted, so that the same images in another order are the same request."""
        return tuple(sorted(set(value)))

    @model_validator(mode="after")
    def _one_image_for_one_position(self) -> "TravelRequest":
        if self.at is not None and len(self.rows) != 1:
            raise ValueError("a single position needs exactly one image")
        return self


class UmapRequest(RequestFor[Projection]):
    """The positions of a travel placed by UMAP as they lie at one of its two ends, and at that time alone."""

    kind: Literal["umap"] = "umap"
    travel: TravelRequest
    times: Literal["end", "start"] = Field("end", description="end: where they are at t = 1; start: at t = 0.")
    n_fit: int = Field(
        1500,
        ge=3,
        le=50_000,
        description="Positions that UMAP is fitted on, drawn evenly over the groups; the others are placed.",
    )
    n_neighbors: int = Field(15, ge=2, le=200)
    min_dist: float = Field(0.1, ge=0.0, le=0.99)
    metric: Metric = Field(
        "cosine",
        description="Cosine compares directions. In hundreds of dimensions short features are near everything by"
        " Euclid, and a map of such neighbourhoods keeps hardly any.",
    )
    seed: int = Field(0, ge=0, le=2**31 - 1)


class StepsRequest(RequestFor[StepsAnswer]):
    """The run's test set scored with few and many solver steps, and paths there and back."""

    kind: Literal["steps"] = "steps"
    plan: tuple[tuple[Solver, Annotated[int, Field(ge=1, le=200)]], ...] = Field(
        (("euler", 1), ("euler", 2), ("euler", 4), ("euler", 10), ("euler", 50), ("heun", 2), ("heun", 10)),
        min_length=1,
        max_length=20,
    )
    n_trips: int = Field(600, ge=2, le=20_000, description="Positions that go there and back.")
    seed: int = Field(0, ge=0, le=2**31 - 1)


class LandscapeRequest(RequestFor[LandscapeAnswer]):
    """The field on a plane through the origin, at rising times, with the paths of a normal and a defect position."""

    kind: Literal["landscape"] = "landscape"
    plane: PlaneKind = "axes"
    normal: tuple[int, int, int] = Field(description="Row of the image, row and column of the grid.")
    defect: tuple[int, int, int]


class FactsRequest(RequestFor[ImageFacts]):
    """Facts of all test images that explain the run's failures."""

    kind: Literal["facts"] = "facts"


class PicturesRequest(RequestFor[DrawnPictures]):
    """The small pictures of all test images, which galleries and hovering show."""

    kind: Literal["pictures"] = "pictures"


class NearestRequest(RequestFor[NearestNormals]):
    """The training normal nearest to each test image."""

    kind: Literal["nearest"] = "nearest"


class YardstickRequest(RequestFor[Yardstick]):
    """Positions of all test images on the run's own steps, half normal and half in defects."""

    kind: Literal["yardstick"] = "yardstick"
    n: int = Field(2000, ge=2, le=50_000, description="Positions in all.")
    seed: int = Field(0, ge=0, le=2**31 - 1)


class OverTimeRequest(RequestFor[OverTime]):
    """The test images scored as if the flow ended after each of the run's own steps."""

    kind: Literal["overtime"] = "overtime"


class NormalsRequest(RequestFor[NormalScores]):
    """Training normals scored by detectors that did not learn from them, as if the run had been trained so."""

    kind: Literal["normals"] = "normals"
    effort: Literal["short", "full"] = "full"


class CouplingRequest(RequestFor[CouplingStudy]):
    """Small flows on the run's features under each coupling, by dimension and group. The defaults: the quick form."""

    kind: Literal["coupling"] = "coupling"
    is_full: bool = Field(False, description="Every dimension with every group size, not only the run's own of one.")
    dimensions: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (2, 4, 8, 16, 64, 256), description="Leading components, besides all of them."
    )
    group_sizes: tuple[Annotated[int, Field(ge=2, le=4096)], ...] = Field(
        (8, 64, 256, 1024), min_length=1, description="Besides the run's own."
    )
    n_seeds: int = Field(3, ge=2, le=20)
    iterations: int = Field(200, ge=1, le=100_000, description="Training steps of each flow.")
    width: int = Field(64, ge=8, le=4096, description="Hidden width of the MLP; a quarter of it is the U-Net's.")
    n_pairs: int = Field(1024, ge=2, le=65_536, description="Pairs of a batch.")
    n_positions: int = Field(40_000, ge=64, description="Training positions, drawn evenly over the images.")
    n_scored: int = Field(160_000, ge=64, description="Positions of test images that are scored, at most.")
    n_resamples: int = Field(1000, ge=20, le=20_000)


QUICK_COUPLING = CouplingRequest()
FULL_COUPLING = CouplingRequest(is_full=True, iterations=600, width=128, n_positions=120_000, n_scored=400_000)


def default_wells(solver: Solver) -> UmapRequest:
    """What the page `wells` opens with: half normals, half defects, few enough that UMAP is fitted on all of them."""
    return UmapRequest(travel=TravelRequest(how="balanced", n=2000, steps=20, solver=solver), n_fit=2000)


def umap_of(travel: TravelRequest) -> UmapRequest:
    """The UMAP of the ends of these paths that gives the angles of the disc: one serves `trajectories` and `wells`."""
    return default_wells(travel.solver).model_copy(update={"travel": travel})


def default_paths(solver: Solver) -> TravelRequest:
    """What the page `trajectories` opens with: the paths that end in the points of `wells`."""
    return default_wells(solver).travel


def map_request(n_images: int, solver: Solver) -> UmapRequest:
    """The UMAP of the single worst position of each of n_images test images, before the flow moves it. It does not
    depend on the threshold.
    """
    return UmapRequest(
        travel=TravelRequest(how="top", n=n_images, steps=1, solver=solver),  # nothing moves, so steps mean nothing
        times="start",
        n_fit=max(3, min(MAP_MOST_FITTED, n_images)),
    )


Request = RequestFor[Answer]
"""Any request."""

_Kinds = (
    TravelRequest
    | UmapRequest
    | StepsRequest
    | LandscapeRequest
    | FactsRequest
    | PicturesRequest
    | NearestRequest
    | YardstickRequest
    | OverTimeRequest
    | NormalsRequest
    | CouplingRequest
)
_ANY: TypeAdapter[Request] = TypeAdapter(Annotated[_Kinds, Field(discriminator="kind")])


def request_from_json(text: str) -> Request:
    """Read what `model_dump_json` wrote. Raises SettingsError."""
    try:
        return _ANY.validate_json(text)
    except ValidationError as error:
        raise _sentence(error) from error


def checked(kind: type[BaseModel], values: dict[str, Any]) -> Any:
    """A request of this kind. Raises SettingsError naming the value that is wrong."""
    try:
        return kind(**values)
    except ValidationError as error:
        raise _sentence(error) from error


def _sentence(error: ValidationError) -> SettingsError:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"]) or "request"
    reason = first["msg"].removeprefix("Value error, ")
    return SettingsError(
        f"{name}: {reason[:1].lower()}{reason[1:]}.", fix="Choose a value within the limits that the form shows."
    )
