#!/bin/sh
# Installs the package in a machine, or a root, that may be spoilt; uses it as root and as an ordinary
# user, upgrades, removes and purges it. usage: try.sh PACKAGE.deb
set -eu

package=$1
as_ann() {
  setpriv --reuid=ann --regid=ann --clear-groups env HOME=/home/ann sh -euc "cd; $1"
}
fails_with() {
  wanted=$1
  shift
  if answer=$("$@" 2>&1); then
    echo "try.sh: $* has succeeded" >&2
    exit 1
  fi
  case $answer in *"$wanted"*) ;; *)
    echo "try.sh: $* says: $answer" >&2
    exit 1
    ;;
  esac
}

command -v python3 >/dev/null || apt-get install -qq -y python3-minimal </dev/null >/dev/null
dpkg -i "$package"
id ann >/dev/null 2>&1 || useradd --create-home ann

echo "== root, without a service"
isolate --version
[ "$(isolate --init)" = /var/lib/isolate/0 ]
[ "$(isolate --silent --run -- /bin/echo hello)" = hello ]
isolate --cleanup

echo "== an ordinary user, without a service"
[ "$(as_ann 'isolate --init >box && isolate --silent --run -- /bin/echo own')" = own ]
case $(as_ann 'cat box') in /home/ann/*) ;; *) exit 1 ;; esac
as_ann 'isolate --cleanup'

echo "== an ordinary user, with the service"
printf 'service_user.ann: 0-9\nservice_socket_mode: 0666\n' >>/etc/isolate.yaml
isolate-direct serve &
service=$!
until [ -S /run/isolate/socket ]; do sleep 0.1; done
[ "$(as_ann 'isolate --box-id=1 --init')" = /var/lib/isolate/1 ]
as_ann 'isolate --box-id=1 --meta=meta --run -- /usr/bin/id && grep -q ^exitcode:0 meta'
as_ann 'isolate --box-id=1 --cleanup'
fails_with "may not use box 77, only 0-9" as_ann 'isolate --box-id=77 --init'
as_ann 'isolate judge new sums && isolate judge --box-ids=2-5 sums'
isolate --box-id=3 --init

echo "== upgrade, beside the service and a box"
dpkg -i "$package"
[ "$(isolate --box-id=3 --silent --run -- /bin/echo kept)" = kept ]
grep -q service_user.ann /etc/isolate.yaml
kill "$service"
wait "$service" || true

echo "== remove and purge"
dpkg -r isolate-deno
[ -e /etc/isolate.yaml ] && [ ! -e /var/lib/isolate/3 ] && [ ! -e /usr/bin/isolate ]
dpkg -P isolate-deno
[ ! -e /etc/isolate.yaml ] && [ ! -e /usr/lib/isolate ]
echo "the package was installed, used, upgraded and removed"
