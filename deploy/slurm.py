"""A Dask cluster on Slurm, for sweeps: `python deploy/slurm.py --jobs 20`, on the login node.

It prints the address for `--scheduler` and keeps as many jobs in the queue as there is work for,
until it is stopped. Needs `pip install 'bitlens[cluster]' dask-jobqueue`; PBS, SGE and LSF have a
class of the same kind there.
"""

import argparse
import signal

from dask_jobqueue import SLURMCluster

CORES = 16
MEMORY_OF_A_WORKER = 3  # GB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=4, help="at most so many nodes at once")
    parser.add_argument("--queue", help="the partition, where the cluster has no default")
    parser.add_argument("--account", help="who pays, where somebody does")
    chosen = parser.parse_args()
    cluster = SLURMCluster(
        queue=chosen.queue,
        account=chosen.account,
        cores=CORES,
        processes=CORES,  # a unit computes on one thread
        memory=f"{CORES * MEMORY_OF_A_WORKER} GB",
        walltime="12:00:00",
        local_directory="$TMPDIR",
        job_script_prologue=["export OMP_NUM_THREADS=1"],
        # Workers finish what they have before their job ends, and a new job takes over.
        worker_extra_args=["--lifetime", "11h", "--lifetime-stagger", "10m"],
    )
    cluster.adapt(minimum_jobs=0, maximum_jobs=chosen.jobs)
    print(f"--scheduler {cluster.scheduler_address}", flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    cluster.close()


if __name__ == "__main__":
    main()
