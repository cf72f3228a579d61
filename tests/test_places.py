"""One module finds the files beside the code, in a checkout and installed."""

import ast
import runpy
from pathlib import Path

from wtflow.machine import places

PROJECT = Path(__file__).resolve().parents[1]
SOURCES = [PROJECT / "app.py", *(path for folder in ("wtflow", "pages") for path in (PROJECT / folder).rglob("*.py"))]


def test_in_a_checkout_everything_lies_at_its_top():
    assert places.CHECKOUT == places.STUDIO == PROJECT
    assert (places.STUDIO / "app.py").is_file()
    assert (places.ASSETS / "embedded.safetensors").is_file()


def test_an_installed_package_looks_into_itself_alone(tmp_path):
    package = tmp_path / "wtflow"
    (package / "machine").mkdir(parents=True)
    (package / "_studio").mkdir()
    copy = package / "machine" / "places.py"
    copy.write_bytes(Path(places.__file__).read_bytes())
    found = runpy.run_path(str(copy))
    assert (found["CHECKOUT"], found["STUDIO"], found["ASSETS"]) == (None, package / "_studio", package / "_assets")


def climbs(source: str) -> bool:
    """Whether it takes a folder above its own from `__file__`."""
    return any(
        isinstance(node, ast.Attribute)
        and "__file__" in ast.unparse(node.value)
        and (node.attr == "parents" or (node.attr == "parent" and ".parent" in ast.unparse(node.value)))
        for node in ast.walk(ast.parse(source))
    )


def test_no_other_module_climbs_from_its_own_file():
    """`Path(__file__).parents[2]` is another folder once the package is installed."""
    assert climbs("Path(__file__).resolve().parents[2]")
    assert climbs("Path(__file__).parent.parent")
    assert not climbs("Path(__file__).with_name('app.py'); Path(__file__).parent")
    texts = {path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8") for path in SOURCES}
    assert len(texts) > 100
    found = [name for name, text in texts.items() if "__file__" in text and climbs(text)]
    assert found == ["wtflow/machine/places.py"]
