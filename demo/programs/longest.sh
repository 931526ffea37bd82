# Prints the longest word of its input, with nothing but the shell: a box has one process.
longest=
while read -r line; do
  for word in $line; do
    [ ${#word} -le ${#longest} ] || longest=$word
  done
done
echo "$longest"
