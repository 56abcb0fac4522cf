"""Are models found by their names on the hub, and is BASE+ADAPTER the model that numpy makes of base and factors?"""
import json
import shutil
import unittest

import h5py
import numpy as np

from harness import SOURCE, ZOO, EndToEnd, read_safetensors, widened, write_safetensors

ADAPTERS = SOURCE / "tests/data/adapters"
COMMIT, ELSEWHERE = "0123456789abcdef0123456789abcdef01234567", "f" * 40


def update_of(adapter):
    """Weight's name -> s B A in float64, as the configuration states s."""
    config, tensors = json.loads((adapter / "adapter_config.json").read_text()), read_safetensors(adapter / "adapter_model.safetensors")
    modules = {name.split(".lora_")[0] for name in tensors}
    return {module.removeprefix("base_model.model.") + ".weight":
            config["lora_alpha"] / config["r"] * widened(tensors[f"{module}.lora_B.weight"]) @ widened(tensors[f"{module}.lora_A.weight"])
            for module in modules}


class Locations(EndToEnd):
    def cache(self):
        """A hub cache with one model, whose files are links to blobs."""
        hub = self.directory / "hub"
        repository = hub / "models--zoo--aspen"
        (repository / "blobs").mkdir(parents=True)
        snapshot = repository / "snapshots" / COMMIT
        snapshot.mkdir(parents=True)
        for number, file in enumerate(sorted((ZOO / "aspen").iterdir())):
            shutil.copy(file, repository / "blobs" / str(number))
            (snapshot / file.name).symlink_to(f"../../blobs/{number}")
        (repository / "refs").mkdir()
        (repository / "refs/main").write_text(COMMIT)
        return hub

    def contents(self, archive, model):
        with h5py.File(archive) as file:
            m = list(file["models/id"].asstr()).index(model)
            first, count = file["models/tensor_start"][m], file["models/tensor_count"][m]
            part = {name: file[f"tensors/{name}"][first:first + count] for name in ("layer", "content_hash_hi", "content_hash_lo")}
            roles = file["tensors/role"].asstr()[first:first + count]
            hashes = {(role, int(layer)): (int(hi), int(lo)) for role, layer, hi, lo in
                      zip(roles, part["layer"], part["content_hash_hi"], part["content_hash_lo"])}
            self.assertGreater(len(set(hashes.values())), 40)
            return hashes

    def test_names_of_the_hub(self):
        hub = self.cache()
        for name in ("hf:zoo/aspen", "hf:zoo/aspen@main", f"hf:zoo/aspen@{COMMIT}", "zoo/aspen"):
            with self.subTest(name):
                done = self.stemma("inspect", name, HF_HUB_CACHE=str(hub))
                self.assertIn("zoo--aspen", done.stdout)
        for name, says in ((f"hf:zoo/aspen@{ELSEWHERE}", f"has no revision {ELSEWHERE}"), ("hf:zoo/birch", "hf download zoo/birch"),
                           ("hf:zoo/../aspen", "is no name of the hub")):
            with self.subTest(name):
                done = self.stemma("inspect", name, code=2, HF_HUB_CACHE=str(hub))
                self.assertIn(says, done.stderr)

    def test_a_link_out_of_the_repository_is_refused(self):
        hub = self.cache()
        weights = hub / "models--zoo--aspen/snapshots" / COMMIT / "model.safetensors"
        weights.unlink()
        weights.symlink_to(ZOO / "aspen/model.safetensors")
        done = self.stemma("inspect", "hf:zoo/aspen", code=4, HF_HUB_CACHE=str(hub))
        self.assertIn("path.symlink_escape", done.stdout + done.stderr)

    def test_a_merged_adapter_is_what_numpy_makes_of_it(self):
        adapter, tensors = ADAPTERS / "aspen-lora-r8", read_safetensors(ZOO / "aspen/model.safetensors")
        merged = dict(tensors)
        for name, update in update_of(adapter).items():
            merged[name] = (widened(tensors[name]) + update).astype(np.float32)
        shutil.copytree(ZOO / "aspen", self.directory / "dense")
        write_safetensors(self.directory / "dense/model.safetensors", merged)
        for ranks in (1, 2):
            archive = f"both{ranks}.h5"
            self.stemma("fingerprint", f"{ZOO}/aspen+{adapter}", "dense", "-o", archive, ranks=ranks)
            with h5py.File(self.directory / archive) as file:
                ids = list(file["models/id"].asstr())
            self.assertEqual(sorted(ids), ["aspen+aspen-lora-r8", "dense"])
            self.assertEqual(self.contents(self.directory / archive, ids[0]), self.contents(self.directory / archive, ids[1]))

    def test_an_adapter_of_the_configuration_is_a_model_of_its_own(self):
        (self.directory / "c.yaml").write_text(
            f"schema_version: 1\nname: t\nmodels:\n  - {{adapter: '{ADAPTERS}/aspen-lora-r8', \"on\": aspen}}\n"
            f"  - '{ZOO}/aspen'\n  - '{ZOO}/aspen-lora-r8'\n  - '{ZOO}/birch'\n")
        self.stemma("run", "c.yaml", limit=400)
        verdicts = json.loads((self.directory / "runs/t/verdicts.json").read_text())
        said = {model["id"]: model for model in verdicts["models"]}
        merged = said["aspen+aspen-lora-r8"]
        self.assertEqual((merged["verdict"]["relation"], merged["verdict"]["relative"]), ("LOW_RANK_RELATED", "aspen"))
        self.assertEqual(merged["declaration"], "supported")
        self.assertEqual([claim["base"] for claim in merged["declared"]][:1], ["aspen"])
        self.assertEqual(said["birch"]["verdict"]["relation"], "NO_EVIDENCE")


if __name__ == "__main__":
    unittest.main()
