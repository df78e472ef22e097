#!/bin/sh
# What a container is: the head of a Ray cluster, one of its workers, or a gaopt command.
#
#   head [RAY START OPTION…]      a head that coordinates and trains nothing
#   worker [RAY START OPTION…]    joins the head at RAY_ADDRESS and trains
#   serve [OPTION…]               the service; with RAY_ADDRESS, of that cluster
#   run|train|resume|reproduce|compare …  the gaopt command; with RAY_ADDRESS, as a node of that cluster
#   any other command of gaopt    needs no Ray
#   health                        exit 0 when this node is part of a running cluster
#
# RAY_ADDRESS          host:port of the head
# RAY_AUTH_TOKEN_PATH  file of the cluster's token (default ~/.ray/auth_token); the head makes it if there is none
# GAOPT_CPUS           CPUs this node offers (head: 0; worker: what Ray counts)
# GAOPT_STORE          bytes of Ray's object store, less than /dev/shm has (default: what Ray thinks right)
# GAOPT_WAIT           seconds to wait for the head and its token (default 120)
# GAOPT_DASHBOARD      address the head's dashboard listens on (default 127.0.0.1)
# GAOPT_SCRAPER        file into which the service writes a token with which its metrics can be read
set -eu

# Whoever reaches a cluster without a token can run code on it, and `ray start` asks for none unless told to.
export RAY_AUTH_MODE=token
export RAY_USAGE_STATS_ENABLED=0

fail() { # bad input
    printf 'entrypoint: %s\n' "$1" >&2
    exit 2
}

give_up() { # good input, but the world is not as it should be
    printf 'entrypoint: %s\n' "$1" >&2
    exit 1
}

whole_number() { # NAME VALUE
    case $2 in
        '' | *[!0-9]*) fail "$1 is '$2': must be a whole number" ;;
    esac
}

use_token() {
    # Ray would take it before any file; and an environment is seen from outside the container.
    [ -z "${RAY_AUTH_TOKEN:-}" ] || fail "RAY_AUTH_TOKEN is set: put the token into a file, named by RAY_AUTH_TOKEN_PATH"
    if [ -z "${RAY_AUTH_TOKEN_PATH:-}" ]; then
        [ -n "${HOME:-}" ] || fail "neither RAY_AUTH_TOKEN_PATH nor HOME is set: one must say where the token is"
        RAY_AUTH_TOKEN_PATH=$HOME/.ray/auth_token
    fi
    export RAY_AUTH_TOKEN_PATH
}

# Ray would make the file readable by everybody. Made beside and renamed, so that nobody reads half a token.
make_token() {
    use_token
    if [ ! -s "$RAY_AUTH_TOKEN_PATH" ]; then
        (
            umask 077
            mkdir -p "$(dirname "$RAY_AUTH_TOKEN_PATH")"
            od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n' >"$RAY_AUTH_TOKEN_PATH.$$"
            mv "$RAY_AUTH_TOKEN_PATH.$$" "$RAY_AUTH_TOKEN_PATH"
        ) || give_up "the token file $RAY_AUTH_TOKEN_PATH cannot be written"
    fi
    [ -r "$RAY_AUTH_TOKEN_PATH" ] || give_up "the token file $RAY_AUTH_TOKEN_PATH cannot be read"
    # A secret mounted read-only keeps the mode that it has.
    chmod 600 "$RAY_AUTH_TOKEN_PATH" 2>/dev/null || :
}

head_answers() {
    python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)' \
        "${RAY_ADDRESS%:*}" "${RAY_ADDRESS##*:}" 2>/dev/null
}

# A worker may be up before its head: it waits for the token, then for the port.
find_head() {
    [ -n "${RAY_ADDRESS:-}" ] || fail "RAY_ADDRESS is not set: must be host:port of the head"
    case $RAY_ADDRESS in
        ?*:*[!0-9]* | *: | :*) fail "RAY_ADDRESS is '$RAY_ADDRESS': must be host:port of the head" ;;
        *:*) ;;
        *) fail "RAY_ADDRESS is '$RAY_ADDRESS': must be host:port of the head" ;;
    esac
    use_token
    left=${GAOPT_WAIT:-120}
    until [ -s "$RAY_AUTH_TOKEN_PATH" ] && head_answers; do
        [ "$left" -gt 0 ] || break
        left=$((left - 1))
        sleep 1
    done
    [ -s "$RAY_AUTH_TOKEN_PATH" ] || give_up "no token in $RAY_AUTH_TOKEN_PATH after ${GAOPT_WAIT:-120} s"
    [ -r "$RAY_AUTH_TOKEN_PATH" ] || give_up "the token file $RAY_AUTH_TOKEN_PATH cannot be read"
    [ "$left" -gt 0 ] || head_answers || give_up "no head answers at $RAY_ADDRESS after ${GAOPT_WAIT:-120} s"
}

[ $# -gt 0 ] || set -- --help
role=$1
whole_number GAOPT_CPUS "${GAOPT_CPUS:-0}"
whole_number GAOPT_STORE "${GAOPT_STORE:-0}"
whole_number GAOPT_WAIT "${GAOPT_WAIT:-0}"
store=${GAOPT_STORE:+"--object-store-memory=$GAOPT_STORE"}

case $role in
    head)
        shift
        make_token
        exec ray start --head --block --port=6379 --num-cpus="${GAOPT_CPUS:-0}" --num-gpus=0 \
            --dashboard-host="${GAOPT_DASHBOARD:-127.0.0.1}" --dashboard-port=8265 ${store:+"$store"} "$@"
        ;;
    worker)
        shift
        find_head
        exec ray start --address="$RAY_ADDRESS" --block ${GAOPT_CPUS:+"--num-cpus=$GAOPT_CPUS"} \
            ${store:+"$store"} "$@"
        ;;
    run | train | resume | reproduce | compare)
        if [ -n "${RAY_ADDRESS:-}" ]; then
            find_head
            # A Ray driver needs a node of the cluster beside it: this one offers nothing. stdout is for data only.
            ray start --address="$RAY_ADDRESS" --num-cpus=0 --num-gpus=0 ${store:+"$store"} >&2
        else
            make_token
        fi
        exec gaopt "$@"
        ;;
    serve)
        shift
        if [ -n "${RAY_ADDRESS:-}" ]; then
            find_head
            set -- --address "$RAY_ADDRESS" "$@"
        else
            make_token
        fi
        if [ -n "${GAOPT_SCRAPER:-}" ]; then
            scraper=$(gaopt token add prometheus)
            (umask 077 && printf '%s' "$scraper" >"$GAOPT_SCRAPER") || give_up "$GAOPT_SCRAPER cannot be written"
        fi
        exec gaopt serve "$@"
        ;;
    health)
        use_token
        [ -S "${RAY_TMPDIR:-/tmp}/ray/session_latest/sockets/raylet" ] || give_up "no Ray node runs here"
        exec ray status --address="${RAY_ADDRESS:-127.0.0.1:6379}"
        ;;
    *)
        exec gaopt "$@"
        ;;
esac
