#!/bin/sh
# Runs a command in a fresh root, with processes, mounts, a name and control groups of its own.
# usage: enter.sh ROOT NAME COMMAND…
# NAME is that of the control groups, one in each hierarchy; whoever calls this removes them.
set -eu

if [ "$1" != inside ]; then
  while read -r _ point type _; do
    case $type in cgroup | cgroup2) ;; *) continue ;; esac
    mkdir -p "$point/$2"
    # A group of the first version has no CPUs of its own at first, and takes no process then.
    for file in cpuset.cpus cpuset.mems; do
      [ ! -e "$point/$2/$file" ] || cat "$point/$file" >"$point/$2/$file"
    done
    echo $$ >"$point/$2/cgroup.procs"
  done </proc/self/mounts
  exec unshare --mount --pid --fork --kill-child --uts --ipc --cgroup -- "$0" inside "$@"
fi

root=$2
shift 3
# The file changes with each mount.
mounts=$(cat /proc/self/mounts)
hostname fresh
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"

# The hierarchies of control groups that this machine has, from our own group downwards.
while read -r _ point type options _; do
  case $type:$point in
  tmpfs:/sys/fs/cgroup) mount -t tmpfs -o mode=755 tmpfs "$root$point" ;;
  cgroup2:*) mkdir -p "$root$point" && mount -t cgroup2 cgroup2 "$root$point" ;;
  cgroup:*)
    # The mount's own flags come first, then the controllers.
    mkdir -p "$root$point"
    controllers=$(echo "$options" | tr , '\n' | grep -vxE 'r[wo]|nosuid|nodev|noexec|relatime|xattr|release_agent=.*' | paste -sd ,)
    mount -t cgroup -o "$controllers" cgroup "$root$point"
    ;;
  esac
done <<END
$mounts
END

# As a machine does it: / is a mount, and pivot_root can leave it.
cd "$root"
mount --move . /
exec setsid chroot . "$@"
