"""Do includes only go down: pipeline -> analyzers -> io, and third-party headers stay on their floor?"""
import os
import pathlib
import re
import unittest

SOURCE = pathlib.Path(os.environ["STEMMA_SOURCE_DIR"])
MAY_USE = {"io": {"io"}, "analyzers": {"io", "analyzers"}, "pipeline": {"io", "analyzers", "pipeline"}}
HOME = {"mpi.h": "analyzers", "hdf5.h": "io", "openssl/": "io", "yaml-cpp/": "io", "CLI/": "pipeline", "Eigen/": "analyzers"}


class Arrows(unittest.TestCase):
    def test_includes_go_down_only(self):
        seen = 0
        for floor, allowed in MAY_USE.items():
            for path in sorted((SOURCE / floor).rglob("*.?pp")):
                for include in re.findall(r'#include [<"]([^>"]+)[>"]', path.read_text()):
                    seen += 1
                    first = include.split("/")[0]
                    if first in MAY_USE:
                        self.assertIn(first, allowed, f"{path} includes {include}")
                    for header, home in HOME.items():
                        if include.startswith(header):
                            self.assertEqual(home, floor, f"{path} includes {include}")
        self.assertGreater(seen, 500)


if __name__ == "__main__":
    unittest.main()
