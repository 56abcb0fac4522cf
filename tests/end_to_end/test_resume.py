"""Does a run that begins where another was interrupted compute only what is missing, and end with the same archive?"""
import os
import re
import shutil
import signal
import struct
import unittest

from harness import llama_config, llama_tensors, write_checkpoint
from interrupted import LARGEST_ITEM, Interrupted, Undisturbed, family, is_published, results


class Resume(Interrupted):
    @classmethod
    def setUpClass(cls):
        cls.undisturbed = Undisturbed(family)

    def half(self, out):
        """A run that was killed when some results were there; its log."""
        self.assertTrue(self.interrupt_after(out, 0.2), "the run was over before it could be killed")
        (log,) = self.logs(out)
        self.assertFalse(is_published(log))
        return log

    def done(self, log):
        """Items of the first round that a run computed itself."""
        return int(re.search(r"work +([\d,]+) items?, .* read in", log)[1].replace(",", ""))

    def test_what_is_known_is_not_computed_again(self):
        out = self.directory / "out"
        kept = self.half(out)
        data, keys = kept.read_bytes(), results(kept)
        log = self.finish(out, 2)
        known, items, left = self.known(log)
        self.assertEqual(known + left, items)
        self.assertGreater(known, 0)
        self.assertEqual(self.done(log), left)
        (new,) = (path for path in self.logs(out) if path != kept)
        self.assertLess(len(set(results(new)) & set(keys)), LARGEST_ITEM, "more than one item was computed again")
        self.assertEqual(kept.read_bytes(), data, "a log of another run was changed")
        # One flipped bit in the log costs what lies there, and nothing else; the archive is the same.
        shutil.rmtree(out)
        (out / "store").mkdir(parents=True)
        damaged = bytearray(data)
        damaged[len(data) // 2] ^= 1
        (out / "store" / kept.name).write_bytes(damaged)
        self.assertEqual(self.known(self.finish(out))[0], known - 1)

    def test_a_torn_tail_is_no_result(self):
        """The last record, cut anywhere, is computed again."""
        out = self.directory / "out"
        kept = self.half(out)
        data, whole = kept.read_bytes(), results(kept)
        last = data.rindex(b"STRC")
        for length in (last + 23, last + 63, len(data) - 9):
            shutil.rmtree(out)
            (out / "store").mkdir(parents=True)
            (out / "store" / kept.name).write_bytes(data[:length])
            self.finish(out)
            again = [key for path in self.logs(out) if path.name != kept.name for key in results(path)]
            self.assertIn(whole[-1], again)

    def test_a_finished_run_is_only_written_again(self):
        out = self.directory / "out"
        shutil.copytree(self.undisturbed.out, out)
        before = self.published(out)
        self.assertEqual(len(before), 1, "one log for all rounds")
        log = self.finish(out)
        self.assertEqual(self.published(out), before)
        self.assertEqual(self.done(log), 0)
        for name in ("work", "coordinates", "layers", "functions"):
            known, items, left = self.known(log, name)
            self.assertEqual((known, left), (items, 0), name)

    def test_a_polite_stop_closes_the_log(self):
        out = self.directory / "out"
        run = self.start(out)
        self.assertTrue(self.wait_until(lambda: self.log_bytes(out) > 0.2 * self.undisturbed.log_bytes, run))
        run.send_signal(signal.SIGTERM)
        self.assertEqual(run.wait(60), 85)
        before = self.published(out)
        self.assertEqual(list(before), self.logs(out))
        self.assertFalse((out / "run.h5").exists())
        said = (self.directory / "out.err").read_text(encoding="utf-8")
        self.assertIn("The same command goes on from here", said)
        self.assertGreater(self.known(self.finish(out, 2))[0], 0)
        self.assert_nothing_half_done(out, before)

    def test_layers_in_turned_coordinates_are_known_too(self):
        """Their map is a file of the run: it has to be the same for the next attempt."""
        out = self.directory / "out"
        layers = int(re.search(r"layers: (\d+) items", (self.undisturbed.out / "log/run.log").read_text())[1])
        self.assertGreater(layers, 0)
        for share in (0.995, 0.98, 0.96):  # the last results are those of layers and functions
            shutil.rmtree(out, ignore_errors=True)
            if self.interrupt_after(out, share):
                break
        maps = {path.name: path.read_bytes() for path in (out / "scratch").glob("*.map")}
        self.assertGreater(len(maps), 0)
        known, items, left = self.known(self.finish(out), "layers")
        self.assertEqual(items, layers)
        self.assertLess(left, items // 4)

    def test_another_number_of_ranks(self):
        """Four, one, three and two ranks, each killed before its end, and one archive."""
        out, published, kept, killed = self.directory / "out", {}, set(), []
        for ranks, victim in ((4, "first"), (1, "job"), (3, "launcher"), (2, "other")):
            if not self.interrupt_after(out, 0.2, ranks, victim):
                break  # little was left, and it was faster
            killed.append(ranks)
            published = self.assert_nothing_half_done(out, published)
            now = [key for path in self.logs(out) for key in results(path)]
            self.assertLess(len(now) - len(set(now)), 4 * LARGEST_ITEM, "more than an item of each run was computed again")
            self.assertTrue(kept < set(now), "a run added nothing, or took something away")
            kept = set(now)
        self.assertGreater(len(killed), 1)
        self.finish(out, 5)
        self.assert_nothing_half_done(out, published)

    def test_a_model_that_changed_in_between_is_read_again(self):
        def two_models(directory):
            return {"models": [write_checkpoint(directory / name, llama_tensors(config, seed), config)
                               for name, seed in (("one", 1), ("two", 2))], "trace": {"enabled": False}}

        config = llama_config(12, hidden_size=256, intermediate_size=512, head_dim=64)
        self.undisturbed, out = Undisturbed(two_models), self.directory / "out"
        self.half(out)
        one = self.undisturbed.config.with_name("one")
        shutil.rmtree(one)
        write_checkpoint(one, llama_tensors(config, 3), config)
        before = self.undisturbed.hashes
        self.undisturbed.run(self.directory / "fresh")
        self.assertNotEqual(before, self.undisturbed.hashes)
        known = self.known(self.finish(out))
        self.assertTrue(known is None or known[0] < known[1] // 2, known)  # at most those of the other model

    def test_garbage_in_the_store(self):
        out = self.directory / "out"
        (out / "store").mkdir(parents=True)
        (out / "scratch").mkdir()
        (out / "store" / "x.rec").write_bytes(b"STRC" + struct.pack("<IQQ", 2, 1 << 60, 0) + bytes(1000))
        (out / "store" / "y.rec").write_bytes(os.urandom(5000))
        (out / "store" / "z.rec").write_bytes(b"")
        (out / "store" / "e.rec").write_bytes(bytes(100) + struct.pack("<Q8s", 1 << 60, b"STRCends"))
        (out / "scratch" / "0123.map.tmp.45").write_bytes(b"killed while writing")
        self.assertIsNone(self.known(self.finish(out)))


if __name__ == "__main__":
    unittest.main()
