"""Are the mistakes that people make in configurations, sheets and models answered with place, values and the way out?

The mistakes on the command line, with archives, places and launchers are in test_forty_more_mistakes.py.
"""
import json
import shutil
import unittest

import harness
from harness import ZOO
from mistakes import HEAD, Mistake, Mistakes, configured, copy, modelled

ASPEN = f"{ZOO}/aspen"
ADAPTER = harness.SOURCE / "tests/data/adapters/aspen-lora-r8"

KEYS = [
    configured("misspelt key", "analyzers: {spectrum: {refne: true}}\n",
               "c.yaml:4:24: analyzers.spectrum.refne is not a known key. Did you mean refine?"),
    configured("key of nobody", "analyzers: {spectrum: {blok_size: 8}}\n",
               "c.yaml:4:24: analyzers.spectrum.blok_size is not a known key. Known here: crosscheck_every, largest, refine"),
    configured("key where none may be", "analyzers: {neuron_match: {anchors: 16}}\n",
               "c.yaml:4:28: analyzers.neuron_match.anchors is not a known key. analyzers.neuron_match has no keys: write "
               "analyzers.neuron_match: {}"),
    configured("key in the wrong section", "min_layers: 9\n",
               "c.yaml:4:1: min_layers is not a known key here. It belongs to compare.tests.intrinsic_fingerprint.min_layers"),
    configured("key of a later version", "top: 32\n",
               "c.yaml:4:1: top is not a known key here. It belongs to compare.top, which this version does not support. Remove it"),
    configured("key of another tool", "runtime: {threads: 4}\n",
               "c.yaml:4:11: runtime.threads is not a known key. Ranks and threads come from mpirun or srun"),
    configured("duplicate key", "seed: 1\nseed: 2\n",
               "c.yaml:5:1: seed is given twice (first in line 4); YAML readers keep one of them silently"),
    configured("below a bound", "compare: {tests: {intrinsic_fingerprint: {min_layers: 1}}}\n",
               "c.yaml:4:55: compare.tests.intrinsic_fingerprint.min_layers = 1 is below 2 (a correlation needs at least two layers)"),
    configured("memory below its bound", "runtime: {memory_per_rank: 100MiB}\n",
               "c.yaml:4:28: runtime.memory_per_rank = 100MiB is below 512MiB"),
    configured("list for a mapping", "compare: {tests: [content]}\n",
               "c.yaml:4:18: compare.tests is a list; it must be a mapping: name: {options}"),
    configured("yes for true", "runtime: {strict: yes}\n", "c.yaml:4:19: runtime.strict = yes: write true or false"),
    configured("quotes around true", 'runtime: {strict: "true"}\n',
               'c.yaml:4:19: runtime.strict = "true" is text because of its quotes: write true or false without quotes'),
    configured("unit forgotten", "runtime: {progress_every: 30}\n",
               "c.yaml:4:27: runtime.progress_every = 30 is not a duration: write a number with a unit: 90s, 10min, 4h or 2d"),
    configured("unit of nobody", "runtime: {memory_per_rank: 3G}\n",
               "c.yaml:4:28: runtime.memory_per_rank = 3G is not a size: write bytes, or a number with a unit such as 512MiB or 10GB"),
    configured("no value", "seed:\n", "c.yaml:4:1: seed has no value: write a whole number"),
    configured("test without its analyzer", "analyzers: {content: {}}\ncompare: {tests: {histogram: {}}}\n",
               "c.yaml:5:19: compare.tests.histogram needs the analyzer histogram, which analyzers (c.yaml:4:12) leaves out. Add it "
               "there, or remove the test"),
    configured("sweep over an unknown key", "sweep: {over: {sede: [1, 2]}}\n",
               "c.yaml:4:16: sweep.over: sede is not a known key. Did you mean seed?"),
    configured("sweep over one value", "sweep: {over: {seed: 3}}\n",
               "c.yaml:4:22: sweep.over: seed is a single value; it must be a list of values, such as [1, 2]"),
    configured("pairs of nobody", "compare: {pairs: listed, list: p.tsv}\n",
               "$HERE/p.tsv:2: aspne is none of the 1 model. Did you mean aspen?",
               make=lambda test: test.write("p.tsv", "a\tb\naspen\taspne\n")),
    configured("list of pairs absent", "compare: {pairs: listed, list: p.tsv}\n",
               "$HERE/p.tsv: cannot be read as a table (no such file, or it is empty). Its first line names the columns a and b"),
    Mistake("newer schema_version", ["run", "c.yaml"],
            "c.yaml:1:17: schema_version 2 is newer than this program knows (1). Update Stemma, or see CHANGELOG",
            {"c.yaml": HEAD.replace("1", "2", 1)}),
    Mistake("no schema_version", ["run", "c.yaml"], "c.yaml:1:1: schema_version is missing. Write schema_version: 1",
            {"c.yaml": HEAD.split("\n", 1)[1]}),
    Mistake("no models", ["run", "c.yaml"], "c.yaml:1:1: models is missing. List the models: models: [PATH, ...]",
            {"c.yaml": "schema_version: 1\n"}),
]

# Section by section what YAML or its readers make of texts unnoticed.
YAML = [
    configured("tab", "report:\n\tlabels: id\n", "c.yaml:5:1: a tab indents this line; YAML wants spaces"),
    modelled("unquoted *", "[{glob: *.gguf}]", 'c.yaml:3:17: the value begins with *, which YAML reads as an alias. Quote it: "*.gguf"'),
    modelled("unquoted @", "[@home/x]", "c.yaml:3:10: the value begins with @, which YAML reads as a reserved character. Quote it: \"@home/x\""),
    configured("unquoted %", "description: %s of all\n",
               'c.yaml:4:14: the value begins with %, which YAML reads as a directive. Quote it: "%s of all"'),
    modelled("unquoted {", "\n  - {a,b}/model",
             'c.yaml:4:5: the value begins with {, which YAML reads as the start of a mapping. Quote it: "{a,b}/model"'),
    modelled("unquoted [", "\n  - [ab]/model",
             'c.yaml:4:5: the value begins with [, which YAML reads as the start of a list. Quote it: "[ab]/model"'),
    configured("unquoted colon", "description: one: two: three\n",
               "c.yaml:4:14: the value holds a colon and a blank, which YAML reads as another key. Quote it: \"one: two: three\""),
    configured("anchor", "description: &a text\n",
               "c.yaml:4:14: &a is an anchor, and anchors are not read (they hide what a file says). Write the value out where it is "
               "used, or quote it"),
    configured("merge key", "report:\n  <<: {labels: id}\n",
               "c.yaml:5:3: << is a merge key, and merging is not read (it hides what a file says). Write the keys out"),
    configured("second document", "---\nname: u\n",
               "c.yaml:4:1: a second document begins here, and one file holds one. Put it into a file of its own"),
    *(configured(f"number {text}", f"seed: {text}\n",
                 f"c.yaml:4:7: seed = {text} is not a whole number in plain decimal digits (YAML readers disagree about others)")
      for text in ("017", "0x1F", "1_000")),
    configured("number of 20 digits", f"seed: {'9' * 20}\n", f"c.yaml:4:7: seed = {'9' * 20} is not a whole number of 64 bits"),
    modelled("# in a path", f"\n  - {ASPEN[:-3]} #en",
             "c.yaml:4:5: $ZOO/as does not exist, and what follows # in this line is a comment. Quote the path if # belongs to it"),
    Mistake("open quote", ["run", "c.yaml"],
            'c.yaml:4:14: the quote " that begins here is never closed, so the rest of the file belongs to it. Close it',
            {"c.yaml": HEAD + 'description: "a "" b\nverdicts: {declared: ignore}\n'.replace('""', r"\"")}),
    Mistake("open single quote", ["run", "c.yaml"],
            "c.yaml:4:14: the quote ' that begins here is never closed, so the rest of the file belongs to it. Close it",
            {"c.yaml": HEAD + "description: 'it''s\nverdicts: {declared: ignore}\n"}),
    Mistake("Latin-1", ["run", "c.yaml"],
            "c.yaml:4:17: byte 0xe9 is not text (the file must be UTF-8 without control characters). Save it as UTF-8",
            {"c.yaml": HEAD.encode() + b"description: caf\xe9\n"}),
    Mistake("UTF-16", ["run", "c.yaml"],
            "c.yaml:1:1: byte 0xff is not text (the file must be UTF-8 without control characters). The file is UTF-16: save it as UTF-8",
            {"c.yaml": HEAD.encode("utf-16")}),
    Mistake("list instead of a mapping", ["run", "c.yaml"], "c.yaml:1:1: the file is a list; it must be a mapping: key: value",
            {"c.yaml": "[1, 2]\n"}),
    Mistake("weights for a configuration", ["run", f"{ASPEN}/model.safetensors"],
            "$ZOO/aspen/model.safetensors: has more than 1048576 bytes, which is the limit. Is it the file you meant?"),
    modelled("revision that others change", f"[{{path: '{ASPEN}', revision: 1e5}}]",
             "c.yaml:3:§\\d+§: models[0].revision = 1e5 is taken as this text. Quote it: other YAML readers change it", code=0),
]

SHEET = "[{sheet: m.tsv}]"


def sheet(name, text, says, **options):
    return modelled(name, SHEET, says, files={"m.tsv": text}, **options)


SHEETS = [
    sheet("CSV", f"id,path\na,{ASPEN}\n", "m.tsv:1: the header is separated by commas; a sheet is separated by tabs. Save it as TSV"),
    sheet("column that nearly matches", f"id\tpath\trelaton\na\t{ASPEN}\tx\n",
          "m.tsv:1: column relaton has no meaning and is kept as text. Did you mean relation?", code=0),
    sheet("row too short", "id\tpath\tbase\na\n", "m.tsv:2: this row of 1 cell has no path. Cells are separated by tabs"),
    sheet("row too long", f"id\tpath\na\t{ASPEN}\tx\n",
          "m.tsv:2: this row has 3 cells, the header names 2 columns. Remove what is too much, or name it"),
    sheet("sheet in Latin-1", f"id\tpath\tlabel\na\t{ASPEN}\t".encode() + b"caf\xe9\n",
          "m.tsv:2: byte 0xe9 is not text (a sheet is UTF-8 without control characters). Save it as UTF-8"),
    sheet("workbook", b"PK\x03\x04\x14\x00", "m.tsv:1: byte 0x03 is not text (a sheet is UTF-8 without control characters). "
                                              "Is it the file you meant?"),
    sheet("no header", f"a\t{ASPEN}\n", "m.tsv:1: the header has no column path (it names a, $ZOO/aspen); the first line must name the "
                                        "columns"),
    sheet("quoted cells", f'"id"\t"path"\n"a"\t"{ASPEN}"\n', 'm.tsv:1: the header names "id" in quotes, and a sheet has none. Write it '
                                                              "without"),
    sheet("no rows", "id\tpath\n", "m.tsv: the sheet has a header and no rows. Write one model into each line"),
    sheet("use of nobody", f"id\tpath\tuse\na\t{ASPEN}\tsubjct\n", "m.tsv:2: use = subjct: write one of subject, reference, background"),
    sheet("one id in two rows", f"id\tpath\na\t{ASPEN}\na\t{ZOO}/birch\n",
          "m.tsv:3: id a is used by m.tsv:2 and m.tsv:3. Give one of them another id"),
    modelled("sheet that is absent", "[{sheet: modles.tsv}]",
             "c.yaml:3:10: the sheet $HERE/modles.tsv does not exist. Did you mean $HERE/models.tsv?", files={"models.tsv": "id\tpath\n"}),
]

NAMES = [
    modelled("glob that matches nothing", "[{glob: '/data/qwen*/'}]",
             "c.yaml:3:10: models names nothing: the glob /data/qwen*/ matches no directory"),
    modelled("model that is absent", "[models/acme-7b]",
             "c.yaml:3:10: the model $HERE/models/acme-7b does not exist: $HERE/models is missing. Did you mean $HERE/model?",
             make=copy(ASPEN, "model/acme-7b")),
    modelled("one id for two models", f"\n  - {{path: '{ASPEN}', id: a}}\n  - {{path: '{ZOO}/birch', id: a}}",
             "c.yaml:5:5: id a is used by c.yaml:4:5 and c.yaml:5:5. Give one of them another id"),
    modelled("declared base that is absent", f"[{{path: '{ASPEN}', base: qwen2.5-7b}}]",
             "c.yaml:3:10: base qwen2.5-7b is not among the models; the claim stays untestable. Add it, or correct the id", code=0),
    modelled("declared base that is absent, of a plan", f"[{{path: '{ASPEN}', base: qwen2.5-7b}}]",
             "c.yaml:3:10: base qwen2.5-7b is not among the models; the claim stays untestable. Add it, or correct the id", "--dry-run",
             code=0),
    modelled("name of a hub", "['hf:Qwen/Qwen2.5-7B@main']",
             "c.yaml:3:10: hf:Qwen/Qwen2.5-7B is not in the cache /no/cache. Fetch it where there is network: hf download Qwen/Qwen2.5-7B",
             environment={"HF_HUB_CACHE": "/no/cache"}),
    modelled("adapter as an entry", "[{adapter: lora}]",
             "c.yaml:3:10: models[0].on is missing. An adapter is read merged into its base"),
    modelled("misspelt key of a model", f"[{{path: '{ASPEN}', bases: y}}]",
             "c.yaml:3:§\\d+§: models[0].bases is not a known key. Did you mean base?"),
    modelled("variable that is not set", "['${NOWHERE_AT_ALL}/x']",
             "c.yaml:3:10: models[0]: ${NOWHERE_AT_ALL} is not set in the environment. Set it, or write the path out"),
    modelled("home of somebody else", "['~joe/x']",
             "c.yaml:3:10: models[0]: ~joe/x begins with the home of another user, which is not looked up. Write it out, or ./~"),
]


def weights(content):
    """A copy of a model whose weights are replaced by these bytes."""
    def make(test):
        shutil.copytree(ASPEN, test.directory / "m")
        (test.directory / "m/model.safetensors").write_bytes(content)
    return make


def instead(replace):
    """A copy of a model whose file of weights is taken away; `replace` may put something else there."""
    def make(test):
        shutil.copytree(ASPEN, test.directory / "m")
        file = test.directory / "m/model.safetensors"
        file.unlink()
        replace(file)
    return make


def failed(name, says, make, **options):
    """A model that fails is a row: the run ends with 4 and one warning."""
    return modelled(name, "[m]", says, make=make, code=4, **options)


def made(**files):
    def make(test):
        (test.directory / "m").mkdir()
        for name, content in files.items():
            (test.directory / "m" / name.replace("__", ".")).write_bytes(content)
    return make


def without_a_part(test):
    config = harness.llama_config(1)
    harness.write_checkpoint(test.directory / "m", harness.llama_tensors(config, 1), config, shards=2)
    (test.directory / "m/model-00002-of-00002.safetensors").unlink()


WHOLE = (ZOO / "aspen/model.safetensors").read_bytes()
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 4900000000\n"
CONFIG = json.dumps(harness.llama_config(2)).encode()
WANTED = "a model directory holds model.safetensors, pytorch_model.bin, or parts with or without an index"
CONVERT = ("none has the name of a whole model: name the file itself if it is one, or convert the weights to safetensors with the "
           "framework that wrote them")

MODELS = [
    failed("pointer of Git LFS", "m: model.safetensors: lfs_pointer: found a Git LFS pointer: the weights were never downloaded: run `git "
           f"lfs pull`. The pointer promises 4900000000 bytes with SHA-256 {'0' * 64}", weights(POINTER)),
    failed("truncated weights", f"m: model.safetensors: byte {len(WHOLE) // 2}: safetensors.truncated: found §\\d+§ bytes of data, expected "
           "§\\d+§ bytes of data: the file was cut off; fetch it again", weights(WHOLE[:len(WHOLE) // 2])),
    failed("page of an error", "m: model.safetensors: format.refused: found an HTML page: a download failed: fetch the file again",
           weights(b"<!DOCTYPE html><html>404</html>")),
    failed("link to nothing", "m: model.safetensors: file.open_failed: found a link to nothing: the file was never fetched, or was "
           "removed. Fetch it again", instead(lambda file: file.symlink_to("../blobs/abc"))),
    failed("directory for a file", "m: model.safetensors: file.open_failed: found a directory instead of a file: path: "
           "$HERE/m/model.safetensors", instead(lambda file: file.mkdir())),
    failed("download that goes on", "m: no_model_found: found config.json, model.safetensors.incomplete: a download has not ended. Fetch "
           "the model again", instead(lambda file: file.with_suffix(".safetensors.incomplete").write_bytes(b""))),
    failed("empty directory", f"m: no_model_found: found an empty directory: {WANTED}", made()),
    failed("configuration alone", f"m: no_model_found: found config.json: {WANTED}", made(config__json=CONFIG)),
    failed("pickle alone", "m: pytorch_model.bin: format.refused: found a bare pickle: no weight file, and a pickle is a program: never "
           "unpickle files of unknown origin", made(config__json=CONFIG, pytorch_model__bin=b"\x80\2}.")),
    failed("GGUF cut short", "m: model.gguf: byte 8: gguf.truncated: found 0 bytes, expected 8 more: the file was cut off; fetch it again",
           made(model__gguf=b"GGUF\3\0\0\0")),
    failed("entry of a cache", "m: no_model_found: found snapshots: this is an entry of a Hugging Face cache. Name a directory below its "
           "snapshots", lambda test: (test.directory / "m/snapshots").mkdir(parents=True)),
    failed("part that is missing", "m: model-00002-of-00002.safetensors: missing_shard: named by model.safetensors.index.json, but absent. "
           "Fetch it", without_a_part),
    failed("adapter without its base", "m: format.refused: found an adapter without its base model §.+§: name it as BASE+ADAPTER to read "
           "the model that it makes, or let trace read it beside its base", copy(ADAPTER, "m")),
    modelled("empty directory, strictly", "[m]", f"stemma: m: no_model_found: found an empty directory: {WANTED}", "--strict",
             make=made(), code=3),
    Mistake("weights that were never fetched, to be traced", ["trace", "m", ASPEN],
            "stemma: m: model.safetensors: lfs_pointer: found a Git LFS pointer: the weights were never downloaded: §.*§",
            make=weights(POINTER), code=3),
    Mistake("adapter before its base", ["trace", ADAPTER, ASPEN],
            "stemma: aspen-lora-r8 is an adapter: name its base first, then the adapter"),
]


class Files(Mistakes):
    def test_keys(self):
        self.judge(KEYS)

    def test_traps_of_yaml(self):
        self.judge(YAML)

    def test_sheets(self):
        self.judge(SHEETS)

    def test_names_of_models(self):
        self.judge(NAMES)

    def test_models(self):
        self.judge(MODELS)

    def test_there_are_enough(self):
        self.assertGreaterEqual(len(KEYS) + len(YAML) + len(SHEETS) + len(NAMES) + len(MODELS), 80)


if __name__ == "__main__":
    unittest.main()
