"""What is kept of the outputs of a graded cell."""

from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Integer

CUT = "... Output truncated ..."


class LimitCharacters(NbGraderPreprocessor):
    """Cuts the outputs of a cell after so many characters; nbgrader's own step counts lines, however long they are."""

    max_characters = Integer(50_000, help="characters of text that are kept of the outputs of a cell").tag(config=True)
    max_image = Integer(2_000_000, help="characters of an image in base64; a larger one is left out").tag(config=True)

    def cut(self, text: str | list[str]) -> str:
        """As much of the text as the cell has room for, and a line that says so where it ends."""
        text = "".join(text)
        kept = text if len(text) <= self.room else f"{text[: self.room]}\n{CUT}"
        self.room -= min(len(text), self.room)
        return kept

    def preprocess_cell(self, cell, resources, cell_index):
        """Cut the outputs of one cell."""
        if cell.cell_type != "code":
            return cell, resources
        self.room = self.max_characters
        for output in cell.outputs:
            if output.output_type == "stream":
                output.text = self.cut(output.text)
            elif output.output_type == "error":
                output.evalue = output.evalue[: self.max_characters]
                output.traceback = [self.cut(line) for line in output.traceback]
            else:
                output.data = {kind: self.shown(kind, content) for kind, content in output.data.items()}
        return cell, resources

    def shown(self, kind: str, content):
        """What is kept of one form of an output: an image, markup or JSON as a whole or not at all."""
        if kind == "text/plain":
            return self.cut(content)
        limit = self.max_image if kind.startswith("image/") else self.max_characters
        return content if len(str(content)) <= limit else CUT
