"""The glossary: no symbol on any page without an entry, and a way to it from where it stands."""

import ast
import re
from pathlib import Path

import pytest

from pages.parts.shared.glossary import GLOSSARY
from pages.parts.shared.terms import BY_MARK, linked
from quantlib.ptq.criteria import CRITERIA
from quantlib.ptq.methods import METHODS
from quantlib.ptq.parameters import PARAMETERS
from quantlib.runtime.choice import CHOICES
from tests.pages.test_pages import fine, opened

PAGES = Path(__file__).parents[2] / "pages"

# Greek letters, q′ and the like, capitals as in PSNR, units, and single letters.
SYMBOL = re.compile(r"[α-ωΑ-Ω]′?|\bq′|\b[A-Z]{2,}[0-9]*\b|\bdB\b|\b[KM]iB\b|(?<![\w'’])[a-zA-Z]\b")
WORDS = {"a", "A", "I", "e", "g", "i", "B"}  # an article, e.g. and i.e., and results A and B
# File formats, names of things that are not the subject, and words in capitals.
ORDINARY = {
    *("PNG", "JPEG", "CSV", "ZIP", "PDF", "TIFF", "BMP", "GIF", "JSON", "URL", "HTTP", "HTML"),
    *("SHA", "RGB", "NVIDIA", "NASA", "ID", "OK", "HF", "CC0", "BSD", "MIT", "UTF8", "API"),
    *("CVPR", "ICLR", "TPAMI", "OWNER", "NAME", "FILE", "REVISION"),
}
KNOWN = {
    token
    for term in GLOSSARY
    for mark in (*term.marks, *term.also)
    for token in (mark, *re.split(r"[\s_.₍₎-]+", mark))
}


def shown(tree: ast.AST) -> list[str]:
    """The strings of a module that are sentences for people, as far as code can tell."""
    quiet = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in quiet
        and re.search(r"[a-z]{2,} [a-z]{2,}", node.value)
        and not re.search(r"[{}<>]|import |=\"", node.value)
    ]


def unexplained(text: str) -> set[str]:
    text = re.sub(r"`[^`]*`|%\{[^}]*\}", " ", text)
    return {
        symbol
        for symbol in SYMBOL.findall(text)
        if symbol not in KNOWN | ORDINARY | WORDS and symbol.rstrip("′") not in KNOWN
    }


FILES = sorted(PAGES.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PAGES)))
def test_no_symbol_of_a_page_lacks_an_entry(path: Path):
    texts = shown(ast.parse(path.read_text("utf-8")))
    assert not {one: text for text in texts for one in unexplained(text)}


def test_no_symbol_of_the_shelves_lacks_an_entry():
    texts = [one.sentence for one in METHODS.values()]
    texts += [one.title for one in METHODS.values()]
    for parameter in (*PARAMETERS.values(), *CHOICES.values()):
        texts += [parameter.title, parameter.help]
    texts += [one.formula for one in CRITERIA.values()]
    assert not {one: text for text in texts for one in unexplained(text)}


def test_what_is_unexplained_is_found():
    assert unexplained("the ζ of a channel in XQ and dBm") == {"ζ", "XQ"}


def test_every_entry_has_two_sentences_and_marks_of_its_own():
    marks = [mark for term in GLOSSARY for mark in term.marks]
    assert len(set(marks)) == len(marks) == len(BY_MARK)
    assert len({term.key for term in GLOSSARY}) == len({term.title for term in GLOSSARY})
    for term in GLOSSARY:
        assert len(re.findall(r"[.;](?:\s|$)", term.text)) >= 2, term.key
        assert len(re.findall(r"\.(?:\s|$)", term.text)) == 2, term.key


def test_the_two_dqa_are_told_apart():
    assert BY_MARK["DQA"].key == "dqa"
    assert "activation DQA" in BY_MARK["depth-dynamic"].text
    assert "depth-dynamic" in BY_MARK["DQA"].text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("W4A4x and n", "W4A4x and [n](#term-n)"),
        ("file.n, a-n, n-th", "file.n, a-n, n-th"),
        ("[PSNR](there) and `dB`", "[PSNR](there) and `dB`"),
        (r"\[PSNR\] of a file", r"\[[PSNR](#term-psnr)\] of a file"),
        ("photo-dB.png", "photo-dB.png"),
        ("DQA DQA DQA", "[DQA](#term-dqa) DQA DQA"),
    ],
)
def test_terms_are_linked_once_and_nothing_else(text: str, wanted: str):
    assert linked(text) == wanted


def test_the_page_finds_an_entry():
    term = BY_MARK["PSNR"]
    app = opened("glossary", term=term.title)
    assert fine(app)
    assert app.markdown[1].value.startswith(f"**{term.title}**")
    assert all(one.text in app.markdown[-1].value for one in GLOSSARY)
    assert fine(opened("glossary", term="Unicorn"))
