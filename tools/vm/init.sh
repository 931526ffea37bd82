#!/vm/busybox sh
# The guest's first process. It makes a root that pivot_root can leave. Then systemd takes over if
# the guest has it; otherwise this mounts what a machine has.

bb=/vm/busybox

if [ "$1" != moved ]; then
  # pivot_root needs a root that is mounted on something. The kernel's first root is not: mount it
  # on itself.
  $bb mount -n --bind / /vm/root
  cd /vm/root
  $bb mount -n --move . /
  exec $bb chroot . /vm/init moved
fi

cd /
if [ -e /lib/systemd/systemd ]; then
  exec /lib/systemd/systemd
fi

$bb mount -n -t proc proc /proc
$bb mount -n -t sysfs sysfs /sys
$bb mount -n -t devtmpfs devtmpfs /dev
$bb mkdir -p /dev/pts /dev/shm
$bb mount -n -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
$bb mount -n -t tmpfs -o mode=1777 tmpfs /dev/shm
$bb mount -n -t tmpfs -o mode=1777 tmpfs /tmp
$bb mount -n -t tmpfs -o mode=755 tmpfs /run
# As systemd does it: no process leaves its namespace of control groups.
$bb mount -n -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
$bb ln -s /proc/self/fd /dev/fd
$bb ln -s /proc/self/fd/0 /dev/stdin
$bb ln -s /proc/self/fd/1 /dev/stdout
$bb ln -s /proc/self/fd/2 /dev/stderr
# As systemd does it: the mounts of a box must not reach the host all the same.
$bb mount -n --make-rshared /
$bb hostname guest
$bb ip link set lo up
. /vm/run
