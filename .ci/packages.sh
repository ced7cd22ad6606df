# Debian packages of tools that tests need. Sourced by scripts of `make test-...`.

# require_packages WHAT NEED:PACKAGE...: install the package of each need, a command or a file, that
# is absent; without root rights, list the missing ones and exit.
require_packages() {
  local what=$1 need thing missing=()
  shift
  for need in "$@"; do
    thing=${need%%:*}
    command -v "$thing" > /dev/null || [[ -e $thing ]] || missing+=("${need##*:}")
  done
  ((${#missing[@]})) || return 0
  if [[ $(id -u) != 0 ]] || ! command -v apt-get > /dev/null; then
    echo "$what need these Debian packages: ${missing[*]}" >&2
    exit 2
  fi
  (
    flock 9 # several scripts may run side by side
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"
  ) 9< "${BASH_SOURCE[0]}"
}
