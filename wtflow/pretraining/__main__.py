"""Makes the embedded backbone: `python -m wtflow.pretraining --teacher mobilenetv2_100.pth --out embedded.safetensors`.

Drawing the pictures takes about ten minutes on one core, training about an hour. Both continue where they were
interrupted. Only the teacher's weights are read; the result depends on the seed, the thread count and the version of
PyTorch.
"""

import hashlib
import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from wtflow import console
from wtflow.config import EMBEDDED_BACKBONE
from wtflow.errors import WTFlowError
from wtflow.pretraining.drawn.pictures import DRAWN_VERSION, write_bank
from wtflow.pretraining.recipe import Recipe

_TEACHER_BATCHES, _STUDENT_BATCHES = 8, 32
"""Batches from which the teacher's mean and deviation, and in the end the student's batch norms, are computed."""
_DEFAULT = Recipe()

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    teacher: Annotated[Path, typer.Option(help="Weights of mobilenetv2_100, .pth or .safetensors.")],
    out: Annotated[Path, typer.Option(help="File for the weights, .safetensors.")],
    work: Annotated[Path, typer.Option(help="Folder for pictures (0.9 GB) and checkpoint.")] = Path("runs/pretraining"),
    backbone: Annotated[str, typer.Option(help="timm model that learns.")] = EMBEDDED_BACKBONE,
    steps: Annotated[int, typer.Option(min=1, help="Training steps.")] = _DEFAULT.steps,
    batch_size: Annotated[int, typer.Option(min=2, help="Crops per step.")] = _DEFAULT.batch_size,
    pictures: Annotated[int, typer.Option(min=2, help="Pictures to draw.")] = _DEFAULT.n_pictures,
    held_out: Annotated[int, typer.Option(min=1, help="Pictures among them to measure on.")] = _DEFAULT.n_held_out,
    picture_size: Annotated[int, typer.Option(min=32, help="Side of a picture in pixels.")] = _DEFAULT.picture_size,
    crops: Annotated[str, typer.Option(help="Sides of the crops in pixels, in the order of training.")] = ",".join(
        map(str, _DEFAULT.crop_sizes)
    ),
    seed: Annotated[int, typer.Option(min=0, help="Start of every random number.")] = _DEFAULT.seed,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads.")] = 1,
    save_every: Annotated[int, typer.Option(min=1, help="Steps between checkpoints.")] = 200,
) -> None:
    """Draw pictures, train the student to copy the teacher's features on them, and write its weights, with the
    recipe in the header.
    """
    sizes = tuple(int(size) for size in crops.split(","))
    shares = _DEFAULT.crop_shares if len(sizes) == len(_DEFAULT.crop_sizes) else (1 / len(sizes),) * len(sizes)
    recipe = replace(
        _DEFAULT,
        steps=steps,
        batch_size=batch_size,
        n_pictures=pictures,
        n_held_out=held_out,
        picture_size=picture_size,
        crop_sizes=sizes,
        crop_shares=shares,
        seed=seed,
    )
    try:
        run(recipe, backbone, teacher, out, work, threads, save_every)
    except WTFlowError as error:
        console.fail(error, as_json=False)


def run(
    recipe: Recipe, backbone: str, teacher_weights: Path, out: Path, work: Path, threads: int, save_every: int
) -> list[float]:
    """Everything from drawing to the file. Returns the share of the teacher's variance that the student does not
    explain on held-out pictures, per stage.

    Raises WeightsError for the teacher's file, BackboneError for the student's name, FlowError when training diverges.
    """
    import torch

    from wtflow.pretraining.crops import held_out_batches, train_batch
    from wtflow.pretraining.loop import Pretrainer
    from wtflow.pretraining.student import new_student, save_body
    from wtflow.pretraining.teacher import load_teacher

    torch.set_num_threads(threads)
    teacher = load_teacher(teacher_weights)
    facts: dict[str, Any] = {"recipe": asdict(recipe), "backbone": backbone, "drawn_version": DRAWN_VERSION}
    mark = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:8]
    with console.progress() as show:
        bank_file = work / f"bank-{DRAWN_VERSION}-{recipe.seed}-{recipe.picture_size}-{recipe.n_pictures}.npy"
        bank = write_bank(
            bank_file, recipe.n_pictures, recipe.picture_size, recipe.seed, console.steps(show, "drawing")
        )
    teacher.settle([train_batch(bank, recipe, recipe.steps + i) for i in range(_TEACHER_BATCHES)])
    trainer = Pretrainer(new_student(backbone, teacher.channels, recipe.seed), teacher, recipe)
    checkpoint = work / f"checkpoint-{mark}.pt"
    if checkpoint.exists():
        trainer.restore(checkpoint)
        console.err.print(f"continues after step {trainer.step}")
    begin, recent = time.monotonic(), []

    def on_step(step: int, shares: list[float]) -> None:
        recent.append(shares)
        if step % save_every == 0 or step == recipe.steps:
            trainer.save(checkpoint)
            stages = ", ".join(f"{share:.3f}" for share in torch.tensor(recent).mean(0).tolist())
            console.err.print(f"step {step} of {recipe.steps}, unexplained {stages}, {time.monotonic() - begin:.0f} s")
            recent.clear()

    trainer.run(lambda step: train_batch(bank, recipe, step), on_step)
    trainer.settle(train_batch(bank, recipe, recipe.steps + i) for i in range(_STUDENT_BATCHES))
    unexplained = trainer.evaluate(held_out_batches(bank, recipe))
    facts |= {"unexplained": [round(share, 4) for share in unexplained], "cpu_seconds": round(trainer.seconds)}
    save_body(trainer.student, out, facts)
    console.err.print(f"{out}: unexplained on held-out pictures {', '.join(f'{share:.3f}' for share in unexplained)}")
    return unexplained


if __name__ == "__main__":
    app()
