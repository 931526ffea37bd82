// Sorts the table of the page, and unfolds the target of a link.
"use strict";
function unfold() {
  const target = document.getElementById(location.hash.slice(1));
  const folded = target && target.closest("details");
  if (!folded) return;
  folded.open = true;
  folded.scrollIntoView();
}
addEventListener("hashchange", unfold);
unfold();

function sortBy(table, column, heading) {
  const isAscending = heading.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", isAscending ? "ascending" : "descending");
  const valueOf = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
  const body = table.tBodies[0];
  const rows = [...body.rows].sort((one, other) => {
    const [value, otherValue] = [valueOf(one), valueOf(other)];
    const order = value - otherValue ||
      value.localeCompare(otherValue, "en", { numeric: true });
    return isAscending ? order : -order;
  });
  body.append(...rows);
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const [column, heading] of [...table.tHead.rows[0].cells].entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(table, column, heading));
    heading.append(button);
  }
}

const submissions = [...document.querySelectorAll("details.submission")];
if (submissions.some((submission) => !submission.open)) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "unfold";
  button.textContent = "Expand all submissions";
  button.addEventListener("click", () => {
    for (const submission of submissions) submission.open = true;
    button.remove();
  });
  submissions[0].before(button);
}
