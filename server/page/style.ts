/** How the page looks, by day and by night, on wide and narrow screens. */

export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f7f9, #14171c);
  --sheet: light-dark(#ffffff, #1c2027);
  --line: light-dark(#cfd5de, #363d49);
  --text: light-dark(#1b2027, #e4e8ee);
  --faint: light-dark(#5a6472, #9aa5b4);
  --accent: light-dark(#1f5fbf, #7fb2ff);
  --on-accent: light-dark(#ffffff, #0e1a2b);
  --good: light-dark(#1a7340, #6fd695);
  --bad: light-dark(#b3261e, #ff9b93);
  --mono: ui-monospace, "Cascadia Code", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}
* { box-sizing: border-box; }
html { background: var(--ground); color: var(--text); }
body {
  display: flex;
  flex-direction: column;
  min-height: 100vh;
  max-width: 90rem;
  margin: 0 auto;
  padding: 1rem clamp(0.75rem, 3vw, 2rem) 2rem;
  font: 1rem/1.45 system-ui, sans-serif;
}
header {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  justify-content: space-between;
  gap: 0.75rem 1.5rem;
  margin-bottom: 1rem;
}
h1 { margin: 0; font-size: 1.25rem; letter-spacing: 0.01em; }
h2, label, dt { margin: 0; font-size: 0.85rem; font-weight: 600; color: var(--faint); }
.controls { display: flex; flex: 0 1 26rem; gap: 0.6rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
select, textarea, input, pre {
  width: 100%;
  padding: 0.55rem 0.7rem;
  border: 1px solid var(--line);
  border-radius: 0.4rem;
  background: var(--sheet);
  color: inherit;
  font: inherit;
}
select { min-width: 0; }
textarea, pre { font: 0.9rem/1.5 var(--mono); tab-size: 4; }
textarea { display: block; resize: vertical; }
button {
  padding: 0.55rem 1.4rem;
  border: 0;
  border-radius: 0.4rem;
  background: var(--accent);
  color: var(--on-accent);
  font: inherit;
  font-weight: 600;
  cursor: pointer;
}
button:disabled { opacity: 0.5; cursor: default; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
main { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; flex: 1; }
section { display: flex; flex-direction: column; gap: 0.4rem; min-width: 0; }
#source { flex: 1; min-height: 12rem; }
.row { display: grid; grid-template-columns: 1fr 1fr; align-items: end; gap: 1rem; margin-top: 0.4rem; }
.row label { display: block; margin-bottom: 0.4rem; }
#keys { margin: 0; font-size: 0.8rem; color: var(--faint); }
#status {
  margin: 0;
  padding: 0.55rem 0.7rem;
  border-left: 0.3rem solid var(--line);
  background: var(--sheet);
  font-weight: 600;
  overflow-wrap: anywhere;
}
#status[data-kind="busy"] { border-color: var(--accent); }
#status[data-kind="good"] { border-color: var(--good); color: var(--good); }
#status[data-kind="bad"] { border-color: var(--bad); color: var(--bad); }
#facts {
  display: grid;
  grid-template-columns: repeat(4, 1fr);
  gap: 0.5rem;
  margin: 0.3rem 0 0.5rem;
}
dd { margin: 0; font-variant-numeric: tabular-nums; }
pre {
  flex: 1 1 6rem;
  min-height: 4.5rem;
  max-height: 60vh;
  margin: 0 0 0.4rem;
  overflow: auto;
  white-space: pre-wrap;
  overflow-wrap: anywhere;
}
#stderr, #compiler { flex-grow: 0; }
#compiler { margin-top: 0.4rem; }
dialog { border: 1px solid var(--line); border-radius: 0.6rem; background: var(--sheet); color: inherit; }
dialog::backdrop { background: rgb(0 0 0 / 45%); }
dialog form { display: grid; gap: 0.7rem; min-width: min(20rem, 70vw); }
@media (max-width: 48rem) {
  main { grid-template-columns: 1fr; }
  .controls { flex: 1 1 100%; }
  #source { flex: none; }
  #facts { grid-template-columns: repeat(2, 1fr); }
}
@media (max-width: 26rem) {
  .row { grid-template-columns: 1fr; }
}
`;
