"""What is a mistake of a user, how is it made, and what must the program say of it, once, on 1 and 2 ranks?"""
import dataclasses
import re
import shutil
from typing import Callable

from harness import ZOO, EndToEnd

HEAD = f"schema_version: 1\nname: t\nmodels: ['{ZOO}/aspen']\n"  # what a table of configurations writes first: three lines
LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  (\w+) +(.*)$")


def nothing(_test):
    pass


@dataclasses.dataclass
class Mistake:
    """`says` is the one sentence, whole: $HERE and $ZOO stand for directories, and between two § stands a pattern."""
    name: str
    command: list
    says: str
    files: dict = dataclasses.field(default_factory=dict)  # name -> text or bytes
    make: Callable = nothing  # called with the test, in its directory
    code: int = 2
    ranks: tuple = (1, 2)
    on_stdout: bool = False  # where verify and "nothing to do" speak
    environment: dict = dataclasses.field(default_factory=dict)
    before: Callable = None  # in the child, before the program begins


def configured(name, lines, says, *more, **options):
    """A mistake in the configuration: `lines` follow HEAD, from line 4 on."""
    return Mistake(name, ["run", "c.yaml", *more], says, {"c.yaml": HEAD + lines}, **options)


def modelled(name, models, says, *more, files=None, **options):
    """A mistake about models: the third line of a configuration that asks little."""
    text = f"schema_version: 1\nname: t\nmodels: {models}\nanalyzers: {{content: {{}}}}\n"
    return Mistake(name, ["run", "c.yaml", *more], says, {"c.yaml": text, **(files or {})}, **options)


def copy(source, to):
    """Makes a copy of a directory."""
    return lambda test: shutil.copytree(source, test.directory / to)


class Mistakes(EndToEnd):
    """Carries out a table of mistakes."""

    def pattern(self, says):
        parts = says.replace("$HERE", str(self.directory)).replace("$ZOO", str(ZOO)).split("§")
        return "".join(part if i % 2 else re.escape(part) for i, part in enumerate(parts))

    def sentences(self, text):
        """What is not the course of a run: warnings, and lines that are no log."""
        said = []
        for line in text.splitlines():
            log = LOG_LINE.match(line)
            if not log:
                said.append(line)
            elif log[1] == "warn":
                said.append(log[2])
        return said

    def make(self, mistake):
        shutil.rmtree(self.directory)
        self.directory.mkdir()
        for name, content in mistake.files.items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        mistake.make(self)

    def judge(self, table):
        self.assertEqual(len({mistake.name for mistake in table}), len(table), "two mistakes have one name")
        for mistake in table:
            for ranks in mistake.ranks:
                with self.subTest(mistake=mistake.name, ranks=ranks):
                    self.make(mistake)
                    done = self.stemma(*(str(word).replace("$HERE", str(self.directory)) for word in mistake.command), ranks=ranks,
                                       code=mistake.code, before=mistake.before, **mistake.environment)
                    said = done.stdout.splitlines()[:1] if mistake.on_stdout else self.sentences(done.stderr)
                    self.assertEqual(len(said), 1, f"{done.stdout}\n{done.stderr}")
                    self.assertRegex(said[0], rf"\A{self.pattern(mistake.says)}\Z")
                    self.assertNotIn("!", said[0])
                    self.assertLess(len(said[0]), 500)
