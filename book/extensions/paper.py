"""The book on paper: what the LaTeX builder does otherwise than Sphinx alone. Named as an extension in _config.yml.

Statements, figures and equations keep the numbers of the site: every number is taken from where the site takes it and
written out, so that no counter of LaTeX can disagree. Solutions, which fold away on the site, are gathered at the end
of their chapter. Statements get a box, proofs and hints stand open, letters are equally large in all figures.
The look itself is book/extensions/paper.sty.
"""

import re
import unicodedata
from pathlib import Path
from typing import Any

import folding
import matplotlib
import titlepage
from docutils import nodes
from matplotlib.ft2font import FT2Font
from PIL import Image
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.latex.nodes import thebibliography
from sphinx.config import Config
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.math import wrap_displaymath
from sphinx.writers.latex import LaTeXTranslator
from sphinx_exercise.nodes import exercise_enumerable_node, exercise_node, solution_node
from sphinx_proof.nodes import NODE_TYPES, unenumerable_node

ROOT = Path(__file__).resolve().parents[2]
STATEMENTS = (*dict.fromkeys(NODE_TYPES.values()), unenumerable_node)
FULL_WIDTH = 900  # pixels of a figure that fills the line: those of the style file, 704 wide, take four fifths of it
LINE = 95  # characters in a line of a table
# What the text font lacks: all but Latin letters, their marks, and the punctuation of running text.
FOREIGN = re.compile("[^\x00-\u024f\u2010-\u2026]+")

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"  # DejaVu comes with matplotlib


def foreign(font: Path) -> re.Pattern[str]:
    """A pattern for the characters beyond ASCII that a font does not have."""
    known = "".join(re.escape(chr(code)) for code in FT2Font(str(font)).get_charmap() if code > 0x7F)
    return re.compile(f"[^\x00-\x7f{known}]")


def sortable(key: str) -> str:
    r"""What makeindex sorts an entry by: plain letters for LaTeX and for what is not ASCII.

    >>> sortable(r"{\otherfont δ}\sphinxhyphen{}balanced"), sortable("Łojasiewicz inequality")
    ('delta-balanced', 'Lojasiewicz inequality')
    """
    key = re.sub(r"\{?\\[a-z]+ ?|[{}]", "", key.replace(r"\sphinxhyphen{}", "-").replace(r"\_", "_"))
    spelt = {sign: unicodedata.name(sign).partition(" WITH ")[0].split()[-1] for sign in key if ord(sign) > 127}
    spelt = {sign: name if sign.isupper() else name.lower() if sign.isalpha() else "-" for sign, name in spelt.items()}
    return "".join(spelt.get(sign, sign) for sign in key)


def folds(node: nodes.Element) -> bool:
    """Whether something folds away on the site: a proof, a hint."""
    return "dropdown" in node["classes"]


def latex(text: str) -> nodes.raw:
    """A node that puts a command into the LaTeX file as it stands."""
    return nodes.raw("", f"\n{text}\n", format="latex")


class Arrange(SphinxPostTransform):
    """Turn the tree that starts at the preface into a book: preface, parts, chapters, each with its solutions."""

    default_priority = 900  # references are resolved, and stay valid when their targets move
    builders = ("latex",)

    def run(self, **options: Any) -> None:
        """Rebuild the tree of the whole book."""
        preface = self.document.next_node(nodes.section)
        within = {id(node) for file in preface.findall(addnodes.start_of_file) for node in file.findall(nodes.compound)}
        wrappers = [node for node in preface.findall(nodes.compound) if "toctree-wrapper" in node["classes"]]
        wrappers = [node for node in wrappers if id(node) not in within]  # sections of a chapter stay with it
        files = [child for wrapper in wrappers for child in wrapper.children]
        for wrapper in wrappers:
            wrapper.parent.remove(wrapper)
        parts = {tree.files()[0]: tree for tree in self.config.external_site_map.root.subtrees if tree.caption}
        first = addnodes.start_of_file("", preface.deepcopy(), docname=self.document["docname"])
        del self.document["docname"]  # its label would stand on the title page; here it is the preface's
        first.insert(0, latex(rf"\phantomsection\label{{\detokenize{{{first['docname']}::doc}}}}"))
        book = nodes.section("", nodes.title("", self.config.project), docname=first["docname"])
        for file in [first, *files]:
            name = file["docname"]
            book += latex(rf"\setcounter{{secnumdepth}}{{{3 if self.env.toc_secnumbers.get(name) else -2}}}")
            if name in parts:
                book += latex(rf"\papermain\gdef\paperchapters{{{self.chapters(parts[name], files)}}}")
                book += latex(rf"\part{{{parts[name].caption}}}")
            book += file
            self.gather_solutions(file)
        # Sphinx has put the list of references at the end of everything; it belongs to the page that asks for it.
        place = next(iter(self.env.get_domain("cite").bibliographies)).docname
        page = next(file for file in book.findall(addnodes.start_of_file) if file["docname"] == place)
        page.next_node(nodes.section).extend(list(self.document.findall(thebibliography)))
        self.document.children = []
        self.document += book
        for statement in self.document.findall(lambda node: isinstance(node, STATEMENTS)):
            self.name_statement(statement)
        for figure in self.document.findall(nodes.figure):
            self.size(figure)
        for table in self.document.findall(nodes.table):
            self.share_width(table)
        for aside in self.document.findall(lambda node: type(node) is nodes.admonition and folds(node)):
            self.run_in(aside)
        for cell in [node for node in self.document.findall(nodes.container) if "tag_claims" in node["classes"]]:
            self.note_claims(cell)
        for inline in self.document.findall(nodes.inline):
            inline["classes"] = []  # roles without a look of their own, which break in a caption

    def chapters(self, part: Any, files: list[nodes.Element]) -> str:
        """The lines that stand under the title of a part: number, title and page of its chapters."""
        lines = []
        for file in (file for file in files if file["docname"] in part.files()):
            number = ".".join(map(str, self.env.toc_secnumbers.get(file["docname"], {}).get("", ())))
            label = f"{file['docname']}:{file.next_node(nodes.section)['ids'][0]}"
            lines.append(rf"\paperchapter{{{number}}}{{\detokenize{{{label}}}}}")
        return "".join(lines)

    def gather_solutions(self, file: nodes.Element) -> None:
        """Move the solutions of a chapter into a section of their own at its end."""
        chapter = file.next_node(nodes.section)
        solutions = list(chapter.findall(solution_node)) if chapter else []
        if solutions:
            end = nodes.section("", nodes.title("", "Solutions"), ids=["solutions"])
            for solution in solutions:
                solution.parent.remove(solution)
                end += solution
            chapter += latex(r"\setcounter{secnumdepth}{0}")  # the site has no such section, and no number for it
            chapter += end

    def name_statement(self, statement: nodes.Element) -> None:
        """Write kind and number before the title, as the site does, and list the title in the index."""
        kind, counter = statement.get("realtype", "").title(), statement.get("countertype", "")
        page = self.env.proof_list[statement["label"]]["docname"]
        number = self.env.toc_fignumbers.get(page, {}).get(counter, {}).get(statement["ids"][0], ())
        name = f"{kind} {'.'.join(map(str, number))}".strip()
        title = re.sub(r"^(?:The|An?) ", "", statement[0].astext().strip()[1:-1])  # it stands in brackets
        if title and not list(statement[0].findall(nodes.math)):
            statement[0] += addnodes.index(entries=[("single", f"{title} ({name})", "", "", None)])
        statement[0].insert(0, nodes.Text(name))

    def note_claims(self, cell: nodes.Element) -> None:
        """Print of a cell of claims only how many there are: in the caption of the figure that they are about."""
        above = cell.parent[cell.parent.index(cell) - 1]
        captions = list(above.findall(nodes.caption)) if isinstance(above, nodes.container) else []
        said = folding.summary(next(iter(cell.findall(nodes.literal_block))).astext())
        if captions:
            captions[-1] += [nodes.Text(" "), nodes.emphasis("", f"({said})")]
            cell.parent.remove(cell)
        else:
            cell.replace_self(latex(rf"\paperclaims{{({said})}}"))

    def run_in(self, aside: nodes.Element) -> None:
        """Begin a proof or a hint with its title in the line instead of above it."""
        title = aside.children.pop(0)
        if not isinstance(aside[0], nodes.paragraph):
            aside.insert(0, nodes.paragraph())
        aside[0].insert(0, [nodes.emphasis("", f"{title.astext()}."), nodes.Text(" ")])

    def share_width(self, table: nodes.table) -> None:
        """Give the columns of a table width after what is in them; let long tables go on over the page."""
        rows = [[entry.astext() for entry in row.children] for row in table.findall(nodes.row)]
        columns = list(zip(*rows, strict=True)) if len({len(row) for row in rows}) == 1 else []
        lengths = [[len(text) for text in texts] for texts in columns]
        words = [[len(word) for text in texts for word in re.split(r"[\s._]+", text)] for texts in columns]
        needed = [1.3 * max(column) + 3 for column in words]  # characters, for the longest word and the space around
        wanted = [(max(column) * sum(column) / len(column)) ** 0.5 for column in lengths]
        spare = max(0.0, LINE - sum(needed))
        for spec, least, wish in zip(table.findall(nodes.colspec), needed, wanted, strict=False):
            spec["colwidth"] = round(least + spare * wish / max(1.0, sum(wanted)))
        if columns:
            table["classes"] += ["colwidths-given", "longtable"]

    def size(self, figure: nodes.figure) -> None:
        """Give a figure the width that goes with its pixels, so that letters are equally large in all."""
        for image in figure.findall(nodes.image):
            path = ROOT / image["uri"]
            if "width" not in image and path.suffix == ".png" and path.exists():
                image["width"] = f"{min(100.0, 100 * Image.open(path).width / FULL_WIDTH):.0f}%"


class Paper(LaTeXTranslator):
    """Sphinx's LaTeX, with the site's numbers and environments of our own."""

    code_foreign = foreign(FONTS / "DejaVuSansMono.ttf")
    other_foreign = foreign(FONTS / "DejaVuSans.ttf")

    def number(self, kind: str, key: str, page: str = "") -> str:
        """The number that the site gives to something of a page, by default the current one; empty where none."""
        found = self.builder.env.toc_fignumbers.get(page or self.curfilestack[-1], {}).get(kind, {}).get(key, ())
        return ".".join(map(str, found))

    def visit_number_reference(self, node: nodes.Element) -> None:
        """Write the site's number of an exercise: for LaTeX it stands in a section, and has the number of that."""
        page, _, key = node.get("refuri", f"%{self.curfilestack[-1]}#{node.get('refid')}")[1:].partition("#")
        number = self.number("exercise", key, page)
        if number:
            self.body.append(rf"\hyperref[{self.idescape(f'{page}:{key}')}]{{{node['title'] % number}}}")
            raise nodes.SkipNode
        super().visit_number_reference(node)

    def rescue(self, lacking: re.Pattern[str], text: str) -> str:
        """Set what a font lacks in DejaVu Sans, and what that lacks, mathematical letters, in the font of formulas."""
        return self.other_foreign.sub(r"{\\signfont \g<0>}", lacking.sub(r"{\\otherfont \g<0>}", text))

    def encode(self, text: str) -> str:
        """Set what the text font lacks in one that has it."""
        return self.rescue(FOREIGN, super().encode(text))

    def visit_index(self, node: nodes.Element) -> None:
        """Sort the entries as readers do, and list a module once."""
        node["entries"] = [
            ("single", f"{text.removeprefix('module; ')} (module)", *rest)
            if text.startswith("module; ")
            else (kind, text, *rest)
            for kind, text, *rest in node["entries"]
        ]
        start = len(self.body)
        try:
            super().visit_index(node)
        finally:
            entries = [
                re.sub(r"(?<=\\index\{)[^@]*(?=@)", lambda key: sortable(key[0]), text) for text in self.body[start:]
            ]
            self.body[start:] = entries

    def visit_caption(self, node: nodes.Element) -> None:
        """Write the site's number before LaTeX uses its own."""
        key = next(iter(node.parent["ids"]), "")
        for kind, counter in (("figure", "figure"), ("table", "table"), ("code-block", "literalblock")):
            if self.number(kind, key):
                self.body.append(rf"\gdef\the{counter}{{{self.number(kind, key)}}}")
        super().visit_caption(node)
        self.body[-1] = self.body[-1].replace(r"\caption{", r"\caption[]{")  # no list of figures: citations break there

    def visit_literal_block(self, node: nodes.Element) -> None:
        """Set what the code font lacks in one that has it."""
        start = len(self.body)
        try:
            super().visit_literal_block(node)
        finally:
            self.body[start:] = [self.rescue(self.code_foreign, text) for text in self.body[start:]]

    def visit_math_block(self, node: nodes.Element) -> None:
        """Write the site's number before LaTeX uses its own."""
        if node.get("label") and not node.get("nowrap"):
            number = self.number("displaymath", f"equation-{node['label']}")
            label = f"equation:{node['docname']}:{node['label']}"
            self.body.append(rf"\gdef\theequation{{{number}}}")
            self.body.append(wrap_displaymath(node.astext(), label, False))
            raise nodes.SkipNode
        super().visit_math_block(node)

    def visit_admonition(self, node: nodes.Element) -> None:
        """Proofs and hints, which fold away on the site, stand open and without a frame."""
        self.context.append("paperaside" if folds(node) else "paperbox")
        self.body.append(f"\n\\begin{{{self.context[-1]}}}")
        self.no_latex_floats += 1

    def depart_admonition(self, node: nodes.Element) -> None:
        """Close what visit_admonition opened."""
        self.no_latex_floats -= 1
        self.body.append(f"\\end{{{self.context.pop()}}}\n")


def begin(environment: str, label: str = "") -> Any:
    """A visitor that opens an environment, with the node's labels before it."""

    def visit(self: Paper, node: nodes.Element) -> None:
        names = [rf"\label{{exercise:{node['label']}}}"] if label else []
        self.body.append("\n\\par\\phantomsection" + "".join([self.hypertarget_to(node), *names]))
        self.body.append(f"\n\\begin{{{environment}}}")
        self.no_latex_floats += 1

    return visit


def end(environment: str) -> Any:
    """A visitor that closes it."""

    def depart(self: Paper, node: nodes.Element) -> None:
        self.no_latex_floats -= 1
        self.body.append(f"\\end{{{environment}}}\n")

    return depart


def configure(app: Sphinx, config: Config) -> None:
    """Give Sphinx the title page, the look and the fonts."""
    faces = ("Sans", "Sans-Oblique", "Sans-Bold", "Sans-BoldOblique", "SansMono", "SansMono-Bold")
    config.latex_additional_files = ["book/extensions/paper.sty", *(str(FONTS / f"DejaVu{face}.ttf") for face in faces)]
    config.latex_elements = {
        **config.latex_elements,
        "preamble": titlepage.commands() + r"\usepackage{paper}",
        "papersize": "a4paper",
        "pointsize": "10pt",
        "extraclassoptions": "openany,oneside",
        "fontpkg": "",
        "fncychap": "",
        "figure_align": "!htb",
        "maketitle": r"\papertitle",
    }


def set_translator(app: Sphinx) -> None:
    """Write LaTeX in our way, and name no translator otherwise: the site's theme would take it for that of HTML."""
    if app.builder.name == "latex":
        app.set_translator("latex", Paper)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("config-inited", configure, priority=900)
    app.add_post_transform(Arrange)
    app.connect("builder-inited", set_translator)
    for statement in STATEMENTS:
        app.add_node(statement, override=True, latex=(begin("paperstatement"), end("paperstatement")))
    for exercise in (exercise_node, exercise_enumerable_node):
        app.add_node(exercise, override=True, latex=(begin("paperexercise", "label"), end("paperexercise")))
    app.add_node(solution_node, override=True, latex=(begin("papersolution"), end("papersolution")))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
