/** Programs that start processes, in languages that have no threads. */

import type { Programs } from "./program_files.ts";

/** Start four processes, and say the sum of their ones: 4. */
export const PROCESSES: Programs = {
  php: {
    "threads.php": `<?php
$all = [];
for ($i = 0; $i < 4; $i++) {
  $pid = pcntl_fork();
  if ($pid === 0) exit(1);
  $all[] = $pid;
}
$sum = 0;
foreach ($all as $pid) {
  pcntl_waitpid($pid, $status);
  $sum += pcntl_wexitstatus($status);
}
echo $sum, "\\n";
`,
  },
  lua: {
    "threads.lua": `local all = {}
for i = 1, 4 do all[i] = io.popen("echo 1") end
local sum = 0
for _, one in ipairs(all) do sum = sum + one:read("n") end
print(sum)
`,
  },
  r: {
    "threads.R": `library(parallel)
cat(sum(unlist(mclapply(1:4, function(i) 1, mc.cores = 4))), "\\n", sep = "")
`,
  },
  fortran: {
    "threads.f90": `program threads
  implicit none
  integer :: i, status, total
  total = 0
  do i = 1, 4
    call execute_command_line('exit 1', wait=.true., exitstat=status)
    total = total + status
  end do
  print '(i0)', total
end program
`,
  },
  shell: {
    "threads.sh": `one() { echo 1; }
sum=0
for number in $(one & one & one & one & wait); do sum=$((sum + number)); done
echo "$sum"
`,
  },
  bash: {
    "threads.sh": `#!/bin/bash
mapfile -t all < <(for i in 1 2 3 4; do echo 1 & done; wait)
echo "\${#all[@]}"
`,
  },
};
