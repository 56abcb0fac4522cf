"""Do includes only follow the arrows between the rooms, and do third-party headers stay where they belong?"""
import os
import pathlib
import re
import unittest

SOURCE = pathlib.Path(os.environ["STEMMA_SOURCE_DIR"])

# Room: the rooms it may include besides itself.
IO = ["io/config", "io/model", "io/formats", "io/archive", "io/report", "io/report/page"]
ANALYZERS = ["analyzers/numerics", "analyzers/distributed", "analyzers/trees", "analyzers"]
ROOMS = {
    "io/config": [],
    "io/model": ["io/config"],
    "io/formats": ["io/model", "io/config"],
    "io/archive": ["io/model", "io/config"],
    "io/report": ["io/archive", "io/model", "io/config"],
    "io/report/page": ["io/report", "io/archive", "io/model", "io/config"],
    "analyzers/numerics": ["io/model", "io/config"],
    "analyzers/distributed": ["analyzers/numerics", "io/model", "io/config"],
    "analyzers/trees": ["io/report", "io/archive", "io/model", "io/config"],
    "analyzers": ["analyzers/numerics", "analyzers/distributed", "io/archive", "io/model", "io/config"],
    "pipeline": [*ANALYZERS, *IO],
    "pipeline/documents": [*ANALYZERS, *IO],
    "pipeline/commands": ["pipeline", "pipeline/documents", *ANALYZERS, *IO],
}
# pipeline/main.cpp starts the commands; it is the roof of the house and not part of the room below.
ROOF = {"pipeline/main.cpp": "pipeline/commands"}

# Header, or the beginning of its name: the rooms that may include it. fmt and the C++ library are for everybody.
THIRD_PARTY = {
    "nlohmann/": ["io/config", "io/model", "io/formats", "io/archive", "io/report", "io/report/page", "pipeline",
                  "pipeline/documents", "pipeline/commands"],
    "yaml-cpp/": ["io/config", "io/model", "io/formats"],
    "hdf5": ["io/archive"],
    "openssl/": ["io/archive", "io/report/page"],
    "png.h": ["io/report/page"],
    "hwy/": ["io/model", "analyzers/numerics"],
    "zlib.h": ["io/formats"],
    "xxhash.h": ["io/model", "io/formats", "io/archive", "analyzers"],
    "mpi.h": ["analyzers/distributed"],
    "elpa/": ["analyzers/distributed"],
    "unsupported/Eigen/": ["analyzers"],
    "Eigen/": ["analyzers/numerics", "analyzers/distributed", "analyzers"],
    "lapacke": ["analyzers/numerics"],
    "cblas": ["analyzers/numerics"],
    "xmmintrin.h": ["analyzers/numerics"],
    "dlfcn.h": ["analyzers/numerics"],
    "CLI/": ["pipeline/commands"],
    "hwloc": ["pipeline"],
    "sched.h": ["analyzers/distributed", "pipeline"],
    "fcntl.h": ["io/formats", "io/archive", "io/report", "pipeline"],
    "sys/": ["io/formats", "io/archive", "io/report", "analyzers/numerics", "analyzers/distributed", "pipeline"],
    "unistd.h": ["io/formats", "io/archive", "io/report", "pipeline", "pipeline/commands"],
    "glob.h": ["io/config"],
    "fnmatch.h": ["pipeline"],
}


def includes():
    """(file, room, bracket, header) of every include of the three floors."""
    for floor in ("io", "analyzers", "pipeline"):
        for path in sorted((SOURCE / floor).rglob("*.?pp")):
            name = path.relative_to(SOURCE).as_posix()
            room = ROOF.get(name, name.rpartition("/")[0])
            for bracket, header in re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', path.read_text(), re.M):
                yield name, room, bracket, header


class Arrows(unittest.TestCase):
    def test_includes_follow_the_arrows(self):
        seen = 0
        for name, room, bracket, header in includes():
            if bracket == '"':
                seen += 1
                with self.subTest(file=name, includes=header):
                    self.assertIn(room, ROOMS, "a room that the drawing does not know")
                    self.assertIn(header.rpartition("/")[0], [room, *ROOMS[room]])
        self.assertGreater(seen, 400)

    def test_no_arrow_goes_round(self):
        for room, below in ROOMS.items():
            for other in below:
                self.assertNotIn(room, ROOMS[other], f"{room} <-> {other}")
                self.assertLessEqual(set(ROOMS[other]), set(below), f"{other} leads {room} where it may not go")

    def test_third_party_headers_stay_at_home(self):
        used = set()
        for name, room, bracket, header in includes():
            if bracket == '"' or header.startswith("fmt/") or re.fullmatch("[a-z_]+", header):
                continue
            with self.subTest(file=name, includes=header):
                homes = [prefix for prefix in THIRD_PARTY if header.startswith(prefix)]
                self.assertEqual(len(homes), 1, "a header that the table does not know")
                self.assertIn(room, THIRD_PARTY[homes[0]])
                used.add(homes[0])
        self.assertGreater(len(used), 10)


if __name__ == "__main__":
    unittest.main()
