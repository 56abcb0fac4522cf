# Sourced by ./demo and ./check: packages and build, quick when there is nothing to do.
# shellcheck shell=bash
assume_yes=${assume_yes:-${CI:+1}}
build_packages=(g++ cmake ninja-build pkg-config git openmpi-bin libopenmpi-dev libhdf5-dev libeigen3-dev libyaml-cpp-dev
  libcli11-dev libfmt-dev libxxhash-dev nlohmann-json3-dev libssl-dev libopenblas-dev libgtest-dev libgmock-dev)
test_packages=(python3 python3-h5py python3-numpy python3-scipy python3-xarray python3-h5netcdf python3-yaml
  python3-jsonschema xxhash)

# install_missing PACKAGE...: asks before it installs, unless --yes was given or CI is set; ends with 2 without the right.
install_missing() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then echo "  all packages are there"; return; fi
  local command=(apt-get install -y --no-install-recommends "${missing[@]}")
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null; then command=(sudo "${command[@]}"); else
      echo "  missing; run as root: ${command[*]}" >&2
      exit 2
    fi
  fi
  echo "  ${#missing[@]} of $# missing: ${command[*]}"
  if [ -z "$assume_yes" ]; then
    read -r -p "  install them? [y/N] " answer
    [ "$answer" = y ] || exit 2
  fi
  if [ "$(id -u)" -eq 0 ]; then apt-get update -qq; else sudo apt-get update -qq; fi
  DEBIAN_FRONTEND=noninteractive "${command[@]}" >/dev/null
}

# build_preset NAME [CMAKE OPTION...]
build_preset() {
  local preset=$1
  shift
  cmake --preset "$preset" "$@" >/dev/null
  cmake --build --preset "$preset"
}
