#!/usr/bin/env bash
# What a relay adds on slow links: a publisher, a relay and a player in network namespaces of
# their own, with 10 Mbit/s between them. Keyframes of 500 kB go over one slow link, then over two.
# Needs root, and iproute2. Usage: bench/slow-link.sh [path of the bench program]
set -euo pipefail

BENCH=${1:-target/release/bench}
RATE=10mbit
# Bytes that wait at the slow end are not dropped: a whole keyframe fits.
SHAPE="rate $RATE burst 32kb latency 1000ms"
KEY_BYTES=500000
SECONDS_EACH=${SECONDS_EACH:-20}
ADMIN_KEY=a-key-for-measurements-only
TAG=sc$$
PUBLISHER=$TAG-publisher RELAY=$TAG-relay PLAYER=$TAG-player
# Addresses for documentation (RFC 5737); they exist in the namespaces only.
UPLINK=192.0.2 DOWNLINK=198.51.100
work=$(mktemp -d)
pids=()

clean_up() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    wait
    # Their links go with them.
    for name in "$PUBLISHER" "$RELAY" "$PLAYER"; do
        ip netns delete "$name" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT

inside() {
    ip netns exec "$@"
}

# Starts a program in namespace $1; its process is the last of `pids`.
start() {
    # With exec, so that the process is the program's own and not a shell's around it.
    (exec ip netns exec "$@") &
    pids+=($!)
}

# Joins namespace $1 with the relay's: $2.2 there, $2.1 at the relay.
join() {
    local name=$1 net=$2 at_relay=$3
    ip netns add "$name"
    inside "$name" ip link set lo up
    ip link add wire netns "$name" type veth peer name "$at_relay" netns "$RELAY"
    inside "$name" ip address add "$net.2/24" dev wire
    inside "$name" ip link set wire up
    inside "$RELAY" ip address add "$net.1/24" dev "$at_relay"
    inside "$RELAY" ip link set "$at_relay" up
}

start_relay() {
    start "$RELAY" "$BENCH" relay serve --dev --log-level warn \
        --server-listen 0.0.0.0:4433 --server-admin-key "$ADMIN_KEY" \
        --server-state-dir "$work/state" >"$work/relay.log" 2>&1
    for _ in $(seq 100); do
        if inside "$RELAY" bash -c ': >/dev/tcp/127.0.0.1/4433' 2>/dev/null; then
            return
        fi
        sleep 0.1
    done
    cat "$work/relay.log" >&2
    exit 1
}

# One keyframe a second, so that a link is idle before the next. Sets `median` to the microseconds
# from a keyframe's first byte to its last byte at the player.
measure() {
    start "$PUBLISHER" "$BENCH" publish --url "http://$UPLINK.1:4433" --admin-key "$ADMIN_KEY" \
        --fps 1 --group 1 --key-bytes "$KEY_BYTES" >"$work/broadcast"
    local publisher=${pids[-1]}
    until [[ -s $work/broadcast ]]; do
        kill -0 "$publisher"
        sleep 0.1
    done
    local token
    token=$(sed -n 's/.*"play_token":"\([^"]*\)".*/\1/p' "$work/broadcast")
    inside "$PLAYER" "$BENCH" watch --url "http://$DOWNLINK.1:4433" --play-token "$token" \
        --players 1 --seconds "$SECONDS_EACH" --json >"$work/watched"
    kill "$publisher"
    wait "$publisher" || true
    rm "$work/broadcast"
    median=$(sed -n 's/.*"key_p50_us":\([0-9]*\).*/\1/p' "$work/watched")
    if [[ $median -eq 0 ]]; then
        echo "the player had no keyframe" >&2
        exit 1
    fi
}

ip netns add "$RELAY"
inside "$RELAY" ip link set lo up
join "$PUBLISHER" "$UPLINK" publisher
join "$PLAYER" "$DOWNLINK" player
start_relay

measure
free=$median
# shellcheck disable=SC2086 # the words of SHAPE are arguments
inside "$RELAY" tc qdisc add dev player root tbf $SHAPE
measure
one=$median
# shellcheck disable=SC2086
inside "$PUBLISHER" tc qdisc add dev wire root tbf $SHAPE
measure
two=$median

echo "a keyframe of $KEY_BYTES B, first byte sent to last byte received, median:"
awk -v free="$free" -v one="$one" -v two="$two" 'BEGIN {
    printf "  no link limited           %8.1f ms\n", free / 1000
    printf "  downlink at 10 Mbit/s     %8.1f ms\n", one / 1000
    printf "  both links at 10 Mbit/s   %8.1f ms\n", two / 1000
    printf "  two links over one        %8.2f (goal: at most 1.2)\n", two / one
}'
