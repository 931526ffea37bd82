// Counts the ways to place N queens on a board so that no two attack each other.
const [size] = new TextDecoder().decode(await new Response(Deno.stdin.readable).bytes()).split(" ");
const all = (1 << Number(size)) - 1;

function place(columns, left, right) {
  if (columns === all) return 1;
  let count = 0;
  for (let free = all & ~(columns | left | right); free; free &= free - 1) {
    const bit = free & -free;
    count += place(columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return count;
}

console.log(place(0, 0, 0));
