"""The README, the start page, the how-to pages and the site: what their blocks tell to type runs."""

import re
import shlex
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fastdigits
from benchmarks.readme_picture import digit_sheet
from fastdigits import finetune
from fastdigits.cli import COMMANDS, main
from fastdigits.recipes.registry import find_recipe
from fastdigits.search.space import find_space
from tests.models.saved_models.make import digit_table
from tests.prove_site import VALIDATOR, broken_links, html_errors

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
OWN_TESTS = {"distributed.md"}  # processes and shards: test_together.py, test_shards.py
PAGES = [
    ROOT / "README.md",
    DOCS / "index.md",
    *sorted(page for page in (DOCS / "howto").glob("*.md") if page.name not in OWN_TESTS),
]
ALL_PAGES = [
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "ARCHITECTURE", "CHANGELOG")),
    *sorted(page for page in DOCS.rglob("*.md") if page.parent.name != "notebooks"),
]
# in place of networks whose weights are a download: timm's for tests, from nothing
TINY = r"\1 test_resnet \2 --weights none --size 16"


def blocks(page: Path, *languages: str) -> list[tuple[str, str]]:
    """(language, text) of a page's fenced blocks, in order."""
    found = re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [(language, text) for language, text in found if language in languages]


@pytest.fixture
def workbench(in_tmp) -> Path:
    """A folder with the files that the pages speak of, made of real digits."""
    table = digit_table(0, 240)
    table.to_csv("train.csv", index=False)
    digit_table(300, 360).drop(columns="label").to_csv("test.csv", index=False)
    writers = pd.DataFrame({"id": table["id"], "writer": table["id"] // 20})
    writers.to_csv("writers.csv", index=False)
    Path("competition").mkdir()
    for name in ("train.csv", "test.csv"):
        Path("competition", name).write_text(Path(name).read_text())
    sample = pd.DataFrame({"id": range(300, 360), "label": 0})
    sample.to_csv("competition/sample_submission.csv", index=False)
    Image.fromarray(digit_sheet()).save("sheet.png")
    for row in range(120):
        photo = 230 - np.pad(table.iloc[row, 2:].to_numpy(int).reshape(28, 28) * 0.8, ((9, 3), (2, 8))).astype(np.uint8)
        folder = Path("my_photos", str(table["label"][row]))
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo).save(folder / f"{row}.png")
    Image.fromarray(photo).save("photo.jpg")
    return in_tmp


def run_line(line: str) -> None:
    words = shlex.split(line, comments=True)
    if words[0] == "fastdigits":
        with pytest.raises(SystemExit) as stopped:
            main(words[1:])
        assert stopped.value.code == 0, line
    else:
        assert words[0] == "python", line
        subprocess.run([sys.executable, *words[1:]], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_tells_to_type_works(page, workbench, monkeypatch):
    """As it stands, but for networks whose weights are a download."""

    def tiny(arch, data, **options):
        if arch != "resnet50":
            return finetune(arch, data, **options)
        options |= {"weights": "none", "size": 16, "out": "runs/resnet50-digits", "overwrite": True}
        return finetune("test_resnet", data, **options)

    monkeypatch.setattr("fastdigits.finetune", tiny, raising=False)
    for language, text in blocks(page, "sh", "python"):
        if language == "python":
            if page.name == "README.md":  # its Python does the same as its commands
                for made in ("digits", "runs", "submission.csv"):
                    Path(made).rename(f"by-command-{made}")
            exec(compile(text, page.name, "exec"), {})
        for line in text.splitlines() if language == "sh" else []:
            if line.startswith(("python3 -m venv", ".venv/", "pip install")):
                continue  # prove_packaging.py installs
            run_line(re.sub(r"(finetune|lr-find) resnet50 (\S+)", TINY, line))
            if "finetune resnet50" in line:
                Path("runs/test_resnet-digits").rename("runs/resnet50-digits")
    if page.name == "README.md":
        assert len(pd.read_csv("submission.csv")) == 60


def test_pages_name_commands_that_exist():
    for page in ALL_PAGES:
        text = page.read_text(encoding="utf-8")
        text = "`".join(
            [*re.findall(r"`[^`]+`", text), *(line for _, block in blocks(page, "sh") for line in block.split("\n"))]
        )
        used = set(re.findall(r"`(?:\.venv/bin/)?fastdigits ([a-z][a-z-]*)", text))
        assert used <= set(COMMANDS), page
    named = set(re.findall(r"\| `fastdigits ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert named == set(COMMANDS)


def test_the_readme_is_read_in_five_minutes():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize(
    ("said", "page", "there"),
    [
        ("instead of 98.65 %", "explanations/writers.md", "98.65 %"),
        ("they show 99.24 %", "explanations/writers.md", "99.24 %"),
        ("digitnet 4.0 times", "results/speed.md", r"\| digitnet, batch 128 \| .* \| 4\.0 \|"),
        ("ResNet-50 1.8 times", "results/speed.md", r"\| resnet50, batch 256 \| .* \| 1\.8 \|"),
        ("give 97.1 %", "results/few_examples.md", r"\| digitnet-mnist, fine-tuned \| [^|]+\| [^|]+\| 97\.1 "),
        ("needs 59 seconds", "results/speed.md", r"digitnet-fast, 2 epochs, .*: 59 s and 99\.49%"),
        ("| 99.65 | 98.37 | 97.33 |", "results/accuracy.md", r"99\.65 %(?s:.*)98\.37 %(?s:.*)97\.33 %"),
        ("| 93.20 | 90.51 |", "results/accuracy.md", r"93\.20 %(?s:.*)90\.51 %"),
    ],
)
def test_the_readmes_numbers_are_those_of_its_pages(said, page, there):
    assert said in (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(there, (DOCS / page).read_text(encoding="utf-8"))


def test_the_readme_counts_the_reproductions_right():
    page = (DOCS / "results" / "reproductions.md").read_text(encoding="utf-8")
    verdicts = re.findall(r"^\| `train .*\| (yes[^|]*) \|", page, re.MULTILINE)
    within = sum("within" in verdict for verdict in verdicts)
    assert (len(verdicts), within) == (12, 2)
    assert "Of 12 published trainings, ten reach" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_pages_name_make_targets_that_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in ALL_PAGES:
        used = set(re.findall(r"(?:`|^    )make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert used <= targets, page


def test_pages_name_tests_that_exist():
    tests = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    for page in ALL_PAGES:
        for file, name in re.findall(r"(test_\w+\.py)(?:::(test_\w+))?", page.read_text(encoding="utf-8")):
            assert f"def {name}(" in tests[file] if name else file in tests, f"{page.name}: {file} {name}"


def test_links_lead_somewhere_for_those_who_read_the_files():
    for page in ALL_PAGES:
        for text, link in re.findall(r"\[([^\]]*)\]\((?!http|#)([^)]+)\)", page.read_text(encoding="utf-8")):
            file, _, heading = link.partition("#")
            assert (page.parent / file).exists(), f"{page.name}: {link}"
            if heading:
                lines = (page.parent / file).read_text(encoding="utf-8").splitlines()
                anchors = [re.sub(r"\W+", "-", line.lstrip("# ").lower()) for line in lines if line.startswith("#")]
                assert heading in anchors, f"{page.name}: {link}"
            assert text, f"{page.name}: {link} has no text"


def test_the_search_space_of_the_page_is_one(in_tmp):
    ((_, block),) = blocks(DOCS / "howto" / "tune.md", "toml")
    (in_tmp / "space.toml").write_text(block)
    space = find_space("space.toml", "conv5x5", "train", find_recipe("conv5x5"), False)
    assert list(space.searched) == ["batch_size", "lr", "network.filters"]
    assert space.fixed == {"augment": "light"}


def test_troubleshooting_quotes_messages_that_exist():
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "fastdigits").rglob("*.py"))
    page = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    headings = [
        quoted for line in page.splitlines() if line.startswith("## ") for quoted in re.findall(r"`([^`]+)`", line)
    ]
    assert len(headings) > 12
    for heading in headings:
        for part in heading.split("…"):
            assert part.strip() in source, heading


def test_the_reference_has_every_public_name():
    page = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    documented = re.findall(r"auto(?:function|class|exception):: fastdigits\.([A-Za-z_]+)$", page, re.MULTILINE)
    assert set(documented) == set(fastdigits.__all__) - {"__version__"}


def test_licences_of_all_that_we_ask_for_are_listed():
    settings = ConfigParser()
    settings.read(ROOT / "settings.ini", encoding="utf-8")
    page = (DOCS / "reference" / "licences.md").read_text(encoding="utf-8").lower().replace("_", "-")
    for key, value in settings["DEFAULT"].items():
        for line in value.splitlines() if key.endswith("requirements") else []:
            if line.strip():
                assert f"| {line.split()[0].lower().replace('_', '-')} |" in page, line


def test_broken_links_and_invalid_html_of_a_site_are_found(tmp_path):
    (tmp_path / "sub").mkdir()
    page = '<!DOCTYPE html><html lang="en"><head><title>t</title></head><body>{}</body></html>'
    (tmp_path / "index.html").write_text(page.format('<p id="here"><a href="sub/">a</a> <a href="#here">b</a></p>'))
    links = '<a href="../index.html#here">a</a><a href="../index.html#gone">b</a><img alt="" src="none.png">'
    (tmp_path / "sub" / "index.html").write_text(page.format(f"<p>{links}</p></main>"))
    assert broken_links(tmp_path) == ["sub/index.html: ../index.html#gone", "sub/index.html: none.png"]
    if (errors := html_errors(sorted(tmp_path.rglob("*.html")))) is None:
        pytest.skip(f"npm fetches no {VALIDATOR} here")
    assert errors
    assert all("sub/index.html" in error for error in errors)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    """Broken links, missing pictures and unreadable docstrings are warnings, and those are errors."""
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", DOCS, tmp_path / "site"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outside = [
        (page.name, address)
        for page in (tmp_path / "site").rglob("*.html")
        for address in re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?:[^"]+)"', page.read_text())
    ]
    assert not outside  # a page is read without network too
    assert not broken_links(tmp_path / "site")
    assert not html_errors(sorted((tmp_path / "site").rglob("*.html")))
