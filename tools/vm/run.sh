#!/vm/busybox sh
# Runs the guest's tests, hands out their results over the second serial line, and powers off.

bb=/vm/busybox

for module in /vm/modules/*.ko; do
  [ ! -e "$module" ] || $bb insmod "$module" || echo "guest: cannot load $module"
done

echo "guest: ready after $($bb cut -d' ' -f1 /proc/uptime) s"
/vm/command </dev/null 2>&1
echo "guest: the tests ended with status $? after $($bb cut -d' ' -f1 /proc/uptime) s"

# A guest without a second line shows them on its console.
results=/dev/ttyS1
$bb grep -q results=console /proc/cmdline && results=/dev/console
for file in /vm/results/*; do
  [ -e "$file" ] || continue
  echo "BEGIN ${file##*/}"
  $bb base64 "$file"
  echo "END ${file##*/}"
done >$results

$bb poweroff -f
