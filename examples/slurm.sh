#!/usr/bin/env bash
# A search on the nodes of a Slurm job. Submitted again after its time is up, it goes on where it was.
#
# Needs: gaopt on a disk that all nodes share, and the folder that this is submitted from, too
# Run:   sbatch slurm.sh
#SBATCH --job-name=gaopt
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=16
#SBATCH --time=08:00:00
#SBATCH --signal=B:TERM@120
set -euo pipefail
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0
trap 'kill $(jobs -p)' EXIT
port=$((20000 + SLURM_JOB_ID % 10000))
head=$(srun --nodes=1 --ntasks=1 hostname -i | cut -d' ' -f1)
(umask 077 && ray get-auth-token --generate >/dev/null)

srun --nodes=1 --ntasks=1 ray start --head --node-ip-address="$head" --port="$port" --block &
sleep "${WAIT:-20}"
if ((SLURM_JOB_NUM_NODES > 1)); then
  srun --nodes=$((SLURM_JOB_NUM_NODES - 1)) --exclude="$SLURMD_NODENAME" ray start --address="$head:$port" --block &
  sleep "${WAIT:-20}"
fi

if [ -e results/slurm/study.db ]; then
  gaopt resume slurm --address "$head:$port" &
else
  gaopt run "${CONFIG:-cifar10}" --address "$head:$port" --name slurm &
fi
search=$!
# Slurm's signal, two minutes before the end: the search stops in good order, and can be resumed.
trap 'kill -TERM $search' TERM
wait $search || wait $search
