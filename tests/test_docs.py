"""The documents: section numbers that the code cites, links and paths, versions, tables, rooms and layers."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from sources import tree_of

import wtflow
from wtflow.datasets.health_rules import RULES
from wtflow.datasets.masks.check import MASK_VALUES

PROJECT = Path(__file__).resolve().parents[1]
DOCS = PROJECT / "assets" / "docs"
PATHS = [PROJECT / "README.md", PROJECT / "assets" / "embedded.md", *sorted(DOCS.glob("*.md"))]
TEXTS = {path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8") for path in PATHS}
METHOD = TEXTS["assets/docs/method.md"]
each_document = pytest.mark.parametrize("name", TEXTS)


def rows_of(text: str) -> list[list[str]]:
    """The cells of every table row, without code, formulas and links, whose bars and numbers are no columns."""
    plain = re.sub(r"`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|\]\([^)]*\)", "x", text, flags=re.DOTALL)
    lines = [line.strip() for line in plain.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def sections_cited(text: str) -> list[str]:
    """Section numbers after the word METHOD, also "5.1 to 5.3", "3 and 5.7", "5.3, 5.4"."""
    lists = re.findall(r"METHOD(?:\.md)?\s+(?:section\s+)?(\d[\d.]*(?:(?:,|\s+and|\s+to)\s+\d[\d.]*)*)", text)
    return [number.rstrip(".") for numbers in lists for number in re.findall(r"\d[\d.]*", numbers)]


# -- the method --------------------------------------------------------------------------------------------------------


def test_citations_are_read_in_every_form_in_which_they_are_written():
    text = "METHOD 5.2. METHOD.md 3 and 5.7) (METHOD 5.1 to\n5.3). METHOD section 3; METHOD 5.3, 5.4, 5.10; METHOD 2."
    assert sections_cited(text) == ["5.2", "3", "5.7", "5.1", "5.3", "3", "5.3", "5.4", "5.10", "2"]


@pytest.mark.parametrize("folder", ["wtflow", "pages", "tests"])
def test_every_section_that_the_code_cites_is_a_heading_of_the_method(folder):
    headings = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", METHOD, re.MULTILINE))
    assert {"1", "5.1", "5.10"} <= headings
    cited = {
        (path.relative_to(PROJECT).as_posix(), number)
        for path in (PROJECT / folder).rglob("*.py")
        if path != Path(__file__)
        for number in sections_cited(path.read_text(encoding="utf-8"))
    }
    assert cited or folder == "pages"
    assert [citation for citation in sorted(cited) if citation[1] not in headings] == []


def test_the_method_is_plain_markdown_as_the_app_renders_it():
    assert not re.search(r"</?[a-zA-Z][^>]*>|<!--|\[\^", METHOD), "HTML or a footnote"
    assert {line for line in METHOD.splitlines() if "$$" in line} == {"$$"}, "a formula in a line with others is inline"
    without_blocks = re.sub(r"\$\$.*?\$\$", "", METHOD, flags=re.DOTALL)
    assert "$$" not in without_blocks
    assert [line for line in without_blocks.splitlines() if line.count("$") % 2] == []


def test_the_paper_has_one_key_that_a_reader_understands_and_each_list_of_sources_explains_it():
    """Also in docstrings, which become help; the lessons show the sources below their text."""
    shown = [path for folder in ("wtflow", "pages", "assets") for path in (PROJECT / folder).rglob("*")]
    texts = {
        path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8")
        for path in [*shown, PROJECT / "README.md"]
        if path.suffix in (".py", ".md", ".js", ".j2", ".css")
    }
    assert [name for name, text in texts.items() if "[WTF]" in text] == []
    assert sum("[Paper]" in text for text in texts.values()) > 20
    for name in ("wtflow/lessons/texts.py", "assets/learn/glossary.md", "assets/docs/method.md"):
        assert re.search(r"\[Paper\]\**,? arXiv 2508\.05461", texts[name]), name


# -- all documents -----------------------------------------------------------------------------------------------------


def test_readme_is_short():
    assert len((PROJECT / "README.md").read_bytes()) <= 12_000


@each_document
def test_every_link_leads_somewhere(name):
    targets = re.findall(r"\]\(([^)\s]+)\)", TEXTS[name])
    local = [target.split("#")[0] for target in targets if "://" not in target and not target.startswith("#")]
    assert [target for target in local if not ((PROJECT / name).parent / target).exists()] == []


@each_document
def test_every_path_named_in_code_type_exists(name):
    paths = set(re.findall(r"`((?:wtflow|pages|tests|assets|\.ci)/[\w./]*|app\.py|pyproject\.toml)`", TEXTS[name]))
    assert len(paths) > 10 or name not in ("README.md", "assets/docs/develop.md")
    assert [path for path in sorted(paths) if not (PROJECT / path).exists()] == []


@each_document
def test_every_document_can_be_reached_from_readme(name):
    reached, new = set(), {"README.md"}
    while new:
        reached |= new
        links = {
            ((PROJECT / source).parent / target).resolve()
            for source in new
            for target in re.findall(r"\]\(([^)\s]+\.md)\)", TEXTS[source])
        }
        new = {path.relative_to(PROJECT).as_posix() for path in links} - reached
    assert name in reached


def holds_two_numbers(cell: str) -> bool:
    """A rate and a ratio in one cell: "1 / 2" anywhere, or a cell that starts with "1 ms, 2" or "1 and 2"."""
    number = r"[-+]?\**[.\d][\d.,]*\**(?<!,)"
    return bool(re.search(rf"{number}\s*/\s*{number}|^{number}(?:\s[^\s,;]+)?(?:,|;|\s+and)\s+{number}", cell))


@pytest.mark.parametrize("cell", [".953 / .985", "**.9** / .8", "34.7, 0.82", "7 ms/image, 0.33", "26 ms; 983 ms"])
def test_cells_of_two_numbers_are_recognised(cell):
    assert holds_two_numbers(cell)


@pytest.mark.parametrize("cell", ["**.953**", "1,024", "-.007", "images/s", "width 256, 1,000 steps"])
def test_cells_of_one_number_and_of_words_are_left_alone(cell):
    assert not holds_two_numbers(cell)


@each_document
def test_no_cell_of_a_table_holds_two_numbers(name):
    assert [cell for row in rows_of(TEXTS[name]) for cell in row if holds_two_numbers(cell)] == []


@each_document
def test_every_row_of_a_table_has_as_many_cells_as_its_head(name):
    width, previous = 0, False
    for line in re.sub(r"`[^`\n]*`|\$[^$\n]*\$", "x", TEXTS[name]).splitlines():
        if line.startswith("|"):
            width = width if previous else line.count("|")
            assert line.count("|") == width, line
        previous = line.startswith("|")


def test_changes_are_newest_first_and_begin_with_this_version_or_the_next():
    found = re.findall(r"^## (\d+\.\d+\.\d+)", TEXTS["assets/docs/changes.md"], re.MULTILINE)
    versions = [version(text) for text in found]
    assert versions == sorted(set(versions), reverse=True)
    assert versions[0] >= version(wtflow.__version__)
    assert version(wtflow.__version__) in versions


def test_every_figure_of_readme_is_one_that_was_measured():
    table = TEXTS["README.md"].split("## How well it does")[1].split("\n## ")[0]
    measured = {cell.strip("*") for row in rows_of(TEXTS["assets/docs/measured.md"]) for cell in row}
    figures = [row[2:4] for row in rows_of(table)[2:]]
    assert len(figures) == 5
    assert [figure for pair in figures for figure in pair if figure not in measured] == []


def test_the_table_of_folders_names_every_finding_with_its_severity_and_no_other():
    words = {"error": "error", "warning": "warning", "info": "note"}
    found = {code: {rule.severity} for code, rule in RULES.items()} | {"small_regions": {"warning", "info"}}
    for path in (PROJECT / "wtflow/datasets").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for severity, code in re.findall(r"""Finding\(\s*"(error|warning|info)",\s*"(\w+)\"""", text):
            found.setdefault(code, set()).add(severity)
    found |= {"mixed_sizes": {"info"}, "mixed_modes": {"info"}, MASK_VALUES: {"warning"}}
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| `(\w+)` \|$", TEXTS["assets/docs/folders.md"], re.MULTILINE)
    assert sorted(code for _, code in rows) == sorted(found)
    assert [code for said, code in rows if not any(said.startswith(words[one]) for one in found[code])] == []


def test_each_sentence_in_the_tables_of_folders_is_one_that_the_app_says():
    said = set()
    for folder in ("wtflow", "pages"):
        for path in (PROJECT / folder).rglob("*.py"):
            for node in ast.walk(tree_of(path)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    said.add(node.value)
    section = TEXTS["assets/docs/folders.md"].partition("## What a person does\n")[2].partition("\n## ")[0]
    cells = [cell for row in rows_of(section) for cell in row[1:]]
    quoted = [words for cell in cells for words in re.findall(r'"([^"]+)"', cell)]
    assert len(quoted) >= 25
    assert [words for words in quoted if not any(words in one for one in said)] == []


# -- the house ---------------------------------------------------------------------------------------------------------


def test_readme_lists_every_room_of_the_library_and_no_other():
    rooms = {path.parent.name for path in PROJECT.glob("wtflow/*/__init__.py")}
    assert set(re.findall(r"^\| `wtflow/(\w+)/` \|", TEXTS["README.md"], re.MULTILINE)) == rooms


def test_the_layers_described_are_those_of_the_contract():
    contract = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = [set(layer.split(" | ")) for layer in contract["contracts"][0]["layers"]]
    described = re.findall(r"^\d+\. (`\w+`(?:, `\w+`)*)$", TEXTS["assets/docs/develop.md"], re.MULTILINE)
    assert [set(re.findall(r"\w+", line)) for line in described] == layers
