#!/bin/sh
# Submits a job of Snakemake, and says how it is. Without this a job that the cluster ends, for example since it needs
# more memory than it asked for, would be waited for without end.
#
#   job.sh submit COMMAND… JOBSCRIPT   runs COMMAND with a script that notes how the job ended; prints the job's number
#   job.sh status COMMAND… NUMBER      prints running, success or failed; COMMAND shows a job that waits or runs, and
#                                      of one that has ended nothing, its state, or an error that says so
set -u
LATE_SECONDS=${LATE_SECONDS:-60}  # a network's disk may show a file so late
SILENT_SECONDS=${SILENT_SECONDS:-3600}  # a job of which the queue says nothing for so long counts as failed
GONE='unknown job|invalid job|has finished|job.* is not found|no unfinished job|do(es)? not exist'
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

# 0: the job waits or runs; 1: it has ended; 2: the queue does not say
ask() {
  if shown=$("$@" 2>/dev/null); then
    [ -n "$shown" ] &&
      ! printf '%s\n' "$shown" | grep -qE 'job_state = [CF]|\b(DONE|EXIT|COMPLETED|FAILED|CANCELLED)\b|^[^ ]+ .* C [^ ]+ *$'
  elif "$@" 2>&1 | grep -qiE "$GONE"; then
    return 1
  else
    return 2
  fi
}

since=.snakemake/silent-$last  # when the queue stopped to say how this job is
waited=0
while code=$(ended); [ -z "$code" ]; do
  ask "$@"
  case $? in
    0)
      rm -f "$since"
      echo running
      exit ;;
    1)
      [ "$waited" -ge "$LATE_SECONDS" ] && break
      sleep 5
      waited=$((waited + 5)) ;;
    2)
      [ -s "$since" ] || date +%s >"$since"
      [ $(($(date +%s) - $(cat "$since"))) -lt "$SILENT_SECONDS" ] && echo running && exit
      echo "$* has not answered for $SILENT_SECONDS seconds, so this job counts as failed" >&2
      break ;;
  esac
done
rm -f "$since"
[ "$code" = 0 ] && echo success || echo failed
