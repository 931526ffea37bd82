/** The page's text. */

export const MARKUP = `
<header>
  <h1>isolate</h1>
  <div class="controls">
    <label for="language" class="hidden">Language</label>
    <select id="language" disabled><option>Loading…</option></select>
    <button id="run" type="button" disabled>Run</button>
  </div>
</header>
<main>
  <section class="input">
    <label for="source">Program</label>
    <textarea id="source" spellcheck="false" autocapitalize="off" autocomplete="off" rows="12"
      aria-describedby="keys"></textarea>
    <div class="row">
      <div>
        <label for="stdin">Standard input</label>
        <textarea id="stdin" spellcheck="false" rows="4"></textarea>
      </div>
      <div>
        <label for="args">Arguments, one per line</label>
        <textarea id="args" spellcheck="false" rows="4"></textarea>
      </div>
    </div>
    <p id="keys">Ctrl+Enter runs the program. Escape, then Tab leaves its field.</p>
  </section>
  <section class="output">
    <p id="status" role="status" data-kind="none">Nothing has run yet.</p>
    <dl id="facts">
      <div><dt>CPU time</dt><dd id="cpu">–</dd></div>
      <div><dt>Wall time</dt><dd id="wall">–</dd></div>
      <div><dt>Memory</dt><dd id="memory">–</dd></div>
      <div><dt>Exit</dt><dd id="exit">–</dd></div>
    </dl>
    <div id="compiler-part" hidden>
      <h2>Compiler</h2>
      <pre id="compiler" tabindex="0"></pre>
    </div>
    <h2>Standard output</h2>
    <pre id="stdout" tabindex="0"></pre>
    <h2>Standard error</h2>
    <pre id="stderr" tabindex="0"></pre>
  </section>
</main>
<dialog id="ask">
  <form method="dialog">
    <label for="token">This server needs a token</label>
    <input id="token" type="password" autocomplete="off" required>
    <button type="submit">Use it</button>
  </form>
</dialog>
`;
