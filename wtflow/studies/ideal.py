"""The lines that the flow was trained on, and what it learned: one batch under each coupling. Imports torch."""

from typing import get_args

import numpy as np
import torch

from wtflow.config import Coupling
from wtflow.errors import FlowError
from wtflow.flow.coupling import couple, coupling_strength, transport_cost
from wtflow.flow.integrate import integrate_saved
from wtflow.flow.path import interpolate
from wtflow.records.flow import Ideal
from wtflow.studies.pca import Pca
from wtflow.studies.run_flow import RunFlow

COUPLINGS: tuple[Coupling, ...] = tuple(sorted(get_args(Coupling)))


def compute_ideal(flow: RunFlow, normal_start: np.ndarray, basis: Pca, n: int, steps: int, seed: int) -> Ideal:
    """n training positions paired exactly, as one group, by each coupling, and integrated along the learned field.

    normal_start: (M, C) normalised features of training normals; n of them are drawn. Raises FlowError for the unet,
    whose positions do not travel alone, and for fewer than two positions.
    """
    if flow.settings.network != "mlp":
        raise FlowError(
            "The unet pairs and moves whole images, which have no line of their own per position.",
            fix="Look at a run of preset fast.",
        )
    if len(normal_start) < 2 or n < 2:
        raise FlowError("Pairing needs at least two positions.", fix="Choose more positions.")
    chosen = np.random.default_rng(seed).permutation(len(normal_start))[:n]
    x_data = torch.from_numpy(normal_start[chosen])
    x_noise = torch.randn(x_data.shape, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        times, path = integrate_saved(
            flow.detector.velocity, x_data.to(flow.detector.device), steps, flow.settings.solver
        )
    path = path.float().cpu()
    norms, ends, costs, strengths = {"learned": path.norm(dim=-1).numpy()}, {}, {}, {}
    for kind in COUPLINGS:
        paired = x_noise[couple(x_data, x_noise, kind, len(x_data))]
        ends[kind] = basis.place(paired.numpy())[:, :2]
        costs[kind], strengths[kind] = transport_cost(x_data, paired), coupling_strength(x_data, paired)
        norms[kind] = np.stack([interpolate(x_data, paired, float(t)).norm(dim=-1).numpy() for t in times])
    return Ideal(
        t=times.cpu().numpy(),
        start=basis.place(x_data.numpy())[:, :2],
        ends=ends,
        learned=basis.place(path.numpy())[..., :2],
        norms=norms,
        costs=costs,
        strengths=strengths,
        trained_with=flow.settings.coupling,
    )
