"""Are the mistakes that people make with lists, tables and parts of an answer answered with the way out?"""
import unittest

from harness import ZOO
from mistakes import HEAD, Mistake, Mistakes

ASPEN, BIRCH = ZOO / "aspen", ZOO / "birch"
CONFIG = {"c.yaml": HEAD + "analyzers: {content: {}}\n"}
PAIR = {"p.tsv": "a\tb\naspen\tbrich\n"}


def archive(test):
    test.fingerprint("a.h5", ASPEN, BIRCH)


TABLE = [
    Mistake("pick without a column", ["inspect", ASPEN, "--pick", "some.tsv"],
            "stemma: --pick some.tsv names no column: write FILE:COLUMN, such as verdicts.tsv:id"),
    Mistake("pick of a table that is absent", ["inspect", ASPEN, "--pick", "some.tsv:id"],
            "some.tsv: cannot be read as a table (no such file, or it is empty). Its first line names the columns id"),
    Mistake("pick of a column that is absent", ["fingerprint", ASPEN, "-o", "x.h5", "--pick", "some.tsv:id"],
            "some.tsv:1: the header has no column id. The columns are separated by tabs", {"some.tsv": "name\naspen\n"}),
    Mistake("pick of a model that is absent", ["fingerprint", ASPEN, BIRCH, "-o", "x.h5", "--pick", "some.tsv:id"],
            "some.tsv:3: brich is none of the 2 models. Did you mean birch?", {"some.tsv": "id\naspen\nbrich\n"}),
    Mistake("pick of nothing", ["inspect", ASPEN, "--pick", "some.tsv:id"], "some.tsv: it has no row, so --pick leaves no model",
            {"some.tsv": "id\n"}),
    Mistake("features of a model", ["inspect", ASPEN, "--features"], "stemma: aspen is no archive, and --features shows what was measured. "
            "Measure it first: stemma fingerprint MODEL... -o NAME.h5"),
    Mistake("two parts at once", ["inspect", ASPEN, "--findings", "--declared"],
            "stemma: --§(findings excludes --declared|declared excludes --findings)§. stemma inspect --help says more"),
    Mistake("inputs without reading", ["verify", ASPEN, "--inputs", "x"],
            "stemma: --inputs is for --hashes and --deep, which read the models of an archive again"),
    Mistake("hash and hashes", ["verify", ASPEN, "--hash", "--hashes"], "stemma: --hash§(es)?§ excludes --hash§(es)?§. stemma verify --help says more"),
    Mistake("pages of several nowhere", ["report", "a.h5", "b.h5"],
            "stemma: the page of several archives lies beside none of them. Name it with --output",
            make=lambda test: (archive(test), test.fingerprint("b.h5", ASPEN))),
    Mistake("one archive twice", ["report", "a.h5", "./a.h5", "-o", "p.html"], "stemma: ./a.h5 is named twice", make=archive),
    Mistake("archive and model", ["trace", "a.h5", ASPEN], "stemma: a.h5 is an archive and $ZOO/aspen is none. Name archives alone, or models alone",
            make=archive),
    Mistake("listed pair of nobody", ["trace", "a.h5", "--pairs", "p.tsv"], "p.tsv:2: brich is none of the 2 models. Did you mean birch?", PAIR,
            make=archive),
    Mistake("inputs of models", ["trace", ASPEN, BIRCH, "--inputs", "x"],
            "stemma: --inputs is for archives, which say where their models were"),
    Mistake("grey box of an archive", ["trace", "a.h5", "--grey-box"], "stemma: --grey-box wants two models, and an archive holds none", make=archive),
    Mistake("script for many numbers of ranks", ["plan", "c.yaml", "--sbatch", "--ranks", "2,4,8"],
            "stemma: --sbatch is of one number of ranks, and --ranks names 3. Choose one", CONFIG),
    Mistake("deep of models that are gone", ["verify", "a.h5", "--deep"],
            "a.h5: aspen: error: §.*§", code=3, on_stdout=True,
            make=lambda test: (test.copy_of_aspen(), test.fingerprint("a.h5", "aspen"), (test.directory / "aspen").rename(test.directory / "gone"))),
]


class WithOptions(Mistakes):
    def copy_of_aspen(self):
        (self.directory / "aspen").mkdir()
        for file in ASPEN.iterdir():
            (self.directory / "aspen" / file.name).write_bytes(file.read_bytes())

    def test_table(self):
        self.judge(TABLE)


if __name__ == "__main__":
    unittest.main()
