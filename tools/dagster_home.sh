#!/bin/sh
# Makes Dagster's home beside the working database and prints its path, so that `make run` records its run where
# `make ui` shows it, and two data folders do not mix theirs. Prints nothing where it cannot be made: the run then is
# recorded in memory, and the command says what is wrong with the folder.
set -eu

data=${YOUJUN_DATA:-data}
[ -d "$data" ] || exit 0
home=${YOUJUN_WAREHOUSE:+$(dirname "$YOUJUN_WAREHOUSE")/dagster}
home=${home:-$data/.work/dagster}
mkdir -p "$home" 2>/dev/null && [ -w "$home" ] || exit 0
home=$(cd "$home" && pwd -P)

# A dagster.yaml that was edited there stays; one that is still what was copied follows the checkout's.
if [ ! -e "$home/dagster.yaml" ] || cmp -s "$home/dagster.yaml" "$home/.dagster.yaml.copied"; then
    cp dagster.yaml "$home/dagster.yaml"
    cp dagster.yaml "$home/.dagster.yaml.copied"
fi
printf '%s\n' "$home"
