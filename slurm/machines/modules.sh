# An example: a cluster with environment modules and a parallel file system. Copy it, then change every name.
# shellcheck shell=bash

# Options of sbatch: they count in the shell that calls sbatch, before the job begins.
export SBATCH_PARTITION=standard
export SBATCH_ACCOUNT=my-project
# Where a job may not touch a parallel file system that it does not name.
export SBATCH_CONSTRAINT=scratch

# What the program was built with. In a job that begins with a bare environment, module comes from the login files.
# shellcheck source=/dev/null
command -v module >/dev/null || . /etc/profile.d/modules.sh
module purge
module load gcc openmpi hdf5 openblas

export STEMMA=${STEMMA:-$HOME/stemma/build/release/stemma}
