#!/usr/bin/env bash
# The README's commands on bare Debian systems, as a new user runs them: make fresh (root on Debian, some GB, half an hour).
#
# Each system has what debootstrap's smallest variant has, this machine's certificates, and the README's packages; the
# user's home has a non-ASCII name. A scenario that fails stops the script, with its log's last lines.
#
#   SUITES     the Debian releases (bookworm trixie)
#   PACKAGES   in place of the README's
#   SCENARIOS  which of those below, in their order
#   WHEELS     a folder of wheels that installers look into as well, such as a PyTorch for CPUs where PyTorch's own
#              index is out of reach
set -euo pipefail
cd "$(dirname "$0")/.."
SUITES=${SUITES:-bookworm trixie}
SCENARIOS=${SCENARIOS:-"nothing plain offline compiler moved"}
CACHE=${CACHE:-/var/tmp/samizdat-fresh}
# What the README names: the line that begins with `sudo apt install`.
PACKAGES=${PACKAGES:-$(sed -n 's/^sudo apt install //p' README.md | head -n 1)}
[ -n "$PACKAGES" ] || { echo "the README has no line 'sudo apt install …'"; exit 1; }
[ "$(id -u)" = 0 ] && command -v debootstrap >/dev/null || { echo "needs root and debootstrap"; exit 1; }
mkdir -p "$CACHE"
export DEBIAN_FRONTEND=noninteractive

in_system() { chroot "$SYSTEM" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"; }

# As the user, in the project; what a shell there would have, and this machine's way to the registry.
as_user() {
  local variables=(HOME="$HOME_OF_USER" USER=user PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 TERM=dumb)
  local name
  for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy PIP_INDEX_URL UV_DEFAULT_INDEX \
    PIP_CERT SSL_CERT_FILE; do
    [ -z "${!name:-}" ] || variables+=("$name=${!name}")
  done
  [ -z "${WHEELS:-}" ] || variables+=(PIP_FIND_LINKS=/wheels)
  $WITHOUT_NETWORK chroot --userspec=user:user "$SYSTEM" /usr/bin/env -i "${variables[@]}" \
    /bin/sh -c "cd '$PROJECT' && $1"
}

# Runs a command as the user; the log's end is shown where it fails (or, with `refused TEXT`, where it doesn't say so).
step() {
  local name=$1 command=$2 started=$SECONDS
  if as_user "$command" >"$LOG" 2>&1; then
    printf '%s %-9s ok in %s s: %s\n' "$SUITE" "$name" $((SECONDS - started)) "$command"
  else
    tail -n 25 "$LOG"; printf '%s %s FAILED: %s\n' "$SUITE" "$name" "$command"; exit 1
  fi
}

refused() {
  local name=$1 command=$2 text=$3
  if as_user "$command" >"$LOG" 2>&1 || ! grep -qF -- "$text" "$LOG" || grep -q Traceback "$LOG"; then
    tail -n 25 "$LOG"; printf '%s %s FAILED: %s does not say: %s\n' "$SUITE" "$name" "$command" "$text"; exit 1
  fi
  printf '%s %-9s says: %s\n' "$SUITE" "$name" "$(grep -F -- "$text" "$LOG" | tail -n 1)"
}

leave() {
  [ -n "${SYSTEM:-}" ] || return 0
  for place in proc dev wheels; do mountpoint -q "$SYSTEM/$place" && umount -l "$SYSTEM/$place"; done
  rm -rf --one-file-system "$SYSTEM"
}
trap leave EXIT

new_system() {
  SYSTEM=$(mktemp -d "$CACHE/$SUITE.XXXXXX")
  chmod 755 "$SYSTEM"
  [ -f "$CACHE/$SUITE.tar" ] || debootstrap --variant=minbase --make-tarball="$CACHE/$SUITE.tar" "$SUITE" "$SYSTEM/new" >/dev/null
  rm -rf "$SYSTEM/new"
  debootstrap --variant=minbase --unpack-tarball="$CACHE/$SUITE.tar" "$SUITE" "$SYSTEM" >"$CACHE/$SUITE.log" 2>&1
  mount --bind /proc "$SYSTEM/proc"; mount --rbind /dev "$SYSTEM/dev"
  cp /etc/resolv.conf "$SYSTEM/etc/resolv.conf"
  echo "127.0.0.1 localhost" >"$SYSTEM/etc/hosts"  # as Debian's installer writes it
  if [ -n "${WHEELS:-}" ]; then mkdir "$SYSTEM/wheels"; mount --bind "$WHEELS" "$SYSTEM/wheels"; fi
  # A mirror may be some days behind.
  echo 'Acquire::Check-Valid-Until "false";' >"$SYSTEM/etc/apt/apt.conf.d/mirror"
  in_system apt-get update -qq >/dev/null
  in_system DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates python3 make git >/dev/null 2>&1
  cp --remove-destination /etc/ssl/certs/ca-certificates.crt "$SYSTEM/etc/ssl/certs/ca-certificates.crt"
  HOME_OF_USER=/home/žofie; PROJECT=$HOME_OF_USER/samizdat; LOG=$CACHE/$SUITE-last.log; WITHOUT_NETWORK=
  in_system useradd --home-dir "$HOME_OF_USER" --create-home user
  git clone -q . "$SYSTEM$PROJECT"
  chroot "$SYSTEM" chown -R user:user "$HOME_OF_USER"
}

TINY="make report CONFIG=config/tiny.yaml"
for SUITE in $SUITES; do
  new_system
  for scenario in $SCENARIOS; do
    case $scenario in
      nothing) # Python, make and git alone: what is missing is named, with this system's command
        refused nothing "make report" "apt install python3" ;;
      plain)
        in_system DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $PACKAGES >/dev/null 2>&1
        step plain "$TINY"
        step plain "$TINY"
        step plain ".venv/bin/samizdat doctor" ;;
      offline)
        WITHOUT_NETWORK="unshare --net"
        step offline "$TINY"
        step offline "rm -rf results work/tiny && $TINY"
        refused offline "rm -rf .venv && make report" "the package registry can't be reached"
        WITHOUT_NETWORK=
        step offline "$TINY" ;;
      compiler)
        in_system DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends g++ python3-dev >/dev/null 2>&1
        step compiler "rm -rf results work/tiny && $TINY" ;;
      moved)
        step moved "cd .. && mv samizdat 'two words' && cd 'two words' && $TINY && cd .. && mv 'two words' samizdat" ;;
      tests)
        step tests "make test" ;;
      *) echo "no scenario $scenario"; exit 1 ;;
    esac
  done
  leave; SYSTEM=
done
