#!/usr/bin/env bash
# A search on a Ray cluster of machines that share a disk: run it on the head, with the others as arguments.
#
# Needs: gaopt at the same path and in the same version on all of them, ssh from the head to the others
# Run:   GAOPT_RESULTS=/shared/results bash cluster.sh NODE…
set -euo pipefail
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0
: "${GAOPT_RESULTS:?a folder that every node sees}"
port=${PORT:-6379} head=${HEAD:-$(hostname -i | cut -d' ' -f1)}

(umask 077 && ray get-auth-token --generate >/dev/null)
ray start --head --node-ip-address="$head" --port="$port"
trap 'ray stop; for node; do ssh "$node" ray stop; done' EXIT
for node; do
  scp -pq ~/.ray/auth_token "$node:.ray/"
  ssh "$node" "RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0 ray start --address=$head:$port"
done

gaopt run "${CONFIG:-cifar10}" --address "$head:$port" --name cluster
