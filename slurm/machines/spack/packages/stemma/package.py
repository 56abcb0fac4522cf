"""How does Spack build Stemma? From the directory at hand:

    spack repo add slurm/machines/spack
    spack dev-build -d . stemma@0.1.0
"""
from spack.package import *

try:  # where build systems live since Spack 1.0
    from spack_repo.builtin.build_systems.cmake import CMakePackage
except ImportError:
    from spack.package import CMakePackage


class Stemma(CMakePackage):
    """Reads the weights of language models and says who descends from whom, with a null, a background and a control beside
    every score."""

    license("Apache-2.0")

    version("0.1.0")

    variant("elpa", default=True, description="Solve large eigenproblems with ELPA's two-stage solver")
    variant("tests", default=False, description="Build the tests")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")

    depends_on("mpi@3:")
    depends_on("blas")
    depends_on("lapack")
    depends_on("scalapack")
    depends_on("elpa", when="+elpa")
    depends_on("hdf5+hl")
    depends_on("eigen")
    depends_on("yaml-cpp")
    depends_on("cli11")
    depends_on("fmt")
    depends_on("nlohmann-json")
    depends_on("openssl")
    depends_on("libpng")
    depends_on("xxhash")
    depends_on("zlib-api")
    depends_on("highway")
    depends_on("googletest+gmock", when="+tests")

    # One rank is one thread: a BLAS with threads of its own would compute with more than it was given.
    depends_on("openblas threads=none", when="^[virtuals=blas] openblas")

    def cmake_args(self):
        return [self.define_from_variant("STEMMA_ELPA", "elpa"), self.define_from_variant("BUILD_TESTING", "tests")]

    def test_version(self):
        """the program starts and says which it is"""
        program = Executable(self.prefix.bin.stemma)
        assert str(self.version) in program("--version", output=str)
