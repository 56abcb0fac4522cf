# An example: machines of Debian or Ubuntu with Slurm and Open MPI from their packages, and home directories over NFS.
# shellcheck shell=bash

# Options of sbatch: they count in the shell that calls sbatch, before the job begins.
export SBATCH_PARTITION=debug

# Slurm has its plugin for PMIx, but loads it only where libpmix-dev is installed; mpirun needs nothing more.
export STEMMA_LAUNCHER=${STEMMA_LAUNCHER:-mpirun}
# Ranks of several nodes find each other over this network, and try no bridge of a container.
export OMPI_MCA_btl_tcp_if_include=${OMPI_MCA_btl_tcp_if_include:-eth0} OMPI_MCA_oob_tcp_if_include=${OMPI_MCA_oob_tcp_if_include:-eth0}
