# Sourced by ./demo and ./check: packages and build, quick when there is nothing to do.
# shellcheck shell=bash
assume_yes=${assume_yes:-${CI:+1}}
# nproc counts threads of OpenMP when it is told their number; ranks and jobs are for cores.
# shellcheck disable=SC2034
cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
# The caller chooses among these lists. a|b is satisfied by either, and a is what would be installed: one rank is one
# thread, so the serial OpenBLAS is enough; where the threaded one is at home, it is told to use one thread.
# shellcheck disable=SC2034
build_packages=(g++ cmake ninja-build pkg-config git openmpi-bin libopenmpi-dev libhdf5-dev libeigen3-dev libyaml-cpp-dev
  libcli11-dev libfmt-dev libxxhash-dev libhwy-dev nlohmann-json3-dev libssl-dev libpng-dev zlib1g-dev
  libscalapack-openmpi-dev libelpa-dev
  'libopenblas-serial-dev|libopenblas-pthread-dev|libopenblas-openmp-dev' libgtest-dev libgmock-dev)
# shellcheck disable=SC2034
test_packages=(python3 python3-h5py python3-numpy python3-scipy python3-xarray python3-h5netcdf python3-yaml
  python3-jsonschema python3-html5lib python3-selenium chromium chromium-driver fonts-dejavu-core poppler-utils
  xxhash groff-base environment-modules clang-format-14 clang-tidy-14 shellcheck
  slurmctld slurmd slurm-client munge)

installed() {
  local package
  for package in ${1//|/ }; do
    if dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then return 0; fi
  done
  return 1
}

# install_missing PACKAGE...: asks before it installs, unless --yes was given or CI is set; ends with 2 without the right.
install_missing() {
  local missing=() package
  for package in "$@"; do
    installed "$package" || missing+=("${package%%|*}")
  done
  if [ ${#missing[@]} -eq 0 ]; then echo "  all packages are there"; return; fi
  local root=() command=(env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}")
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "  missing; run as root: ${command[*]:2}" >&2
      exit 2
    fi
    root=(sudo)
  fi
  echo "  ${#missing[@]} of $# missing: ${root[*]} ${command[*]:2}"
  if [ -z "$assume_yes" ]; then
    read -r -p "  install them? [y/N] " answer
    [ "$answer" = y ] || exit 2
  fi
  "${root[@]}" apt-get update -qq
  "${root[@]}" "${command[@]}" >/dev/null
}

# build_preset NAME TARGET [CMAKE OPTION...]
build_preset() {
  local preset=$1 target=$2
  shift 2
  cmake --preset "$preset" "$@" >/dev/null
  cmake --build --preset "$preset" --target "$target"
}
