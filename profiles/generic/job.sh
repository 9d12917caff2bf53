#!/bin/sh
# Submits a job of Snakemake, and says how it is. Without this a job that the cluster ends, for example since it needs
# more memory than it asked for, would be waited for without end.
#
#   job.sh submit COMMAND… JOBSCRIPT   runs COMMAND with a script that notes how the job ended; prints the job's number
#   job.sh status COMMAND… NUMBER      prints running, success or failed; COMMAND shows a job that waits or runs, and
#                                      of one that has ended nothing, an error, or its state
set -u
LATE_SECONDS=${LATE_SECONDS:-60}  # a network's disk may show a file so late
what=$1
shift
for last; do :; done

if [ "$what" = submit ]; then
  count=$#
  while [ "$count" -gt 1 ]; do set -- "$@" "$1"; shift; count=$((count - 1)); done
  shift  # the job script itself
  quoted=$(printf '%s' "$last" | sed "s/'/'\\\\''/g")
  cat >"$last.noted" <<SCRIPT
#!/bin/sh
sh '$quoted'
code=\$?
echo \$code >'$quoted.ended'
exit \$code
SCRIPT
  answer=$("$@" "$last.noted") || exit
  number=$(printf '%s\n' "$answer" | tr -d '<>' | grep -oE '[0-9][^ ]*' | head -n 1)  # LSF: Job <12> is submitted …
  printf '%s\n' "$last.ended" >"$(dirname "$last")/number-$number"
  echo "$number"
  exit
fi

ended() {
  note=$(cat .snakemake/tmp.*/"number-$last" 2>/dev/null | tail -n 1)
  [ -n "$note" ] && cat "$note" 2>/dev/null
}

is_queued() {
  shown=$("$@" 2>/dev/null) && [ -n "$shown" ] &&
    ! printf '%s\n' "$shown" | grep -qE 'job_state = [CF]|\b(DONE|EXIT|COMPLETED|FAILED|CANCELLED)\b|^[^ ]+ .* C [^ ]+ *$'
}

waited=0
while code=$(ended); [ -z "$code" ]; do
  if is_queued "$@"; then echo running; exit; fi
  if [ "$waited" -ge "$LATE_SECONDS" ]; then break; fi
  sleep 5
  waited=$((waited + 5))
done
[ "$code" = 0 ] && echo success || echo failed
